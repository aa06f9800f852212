"""The catalog's rows: models, and what people choose among them."""

from catalog.models.choosing import ContextDefault, FallbackStep, ModelAlias, ModelMigration, Rule
from catalog.models.languages import CatalogVersion, Context, LanguageModel, ProviderSync

__all__ = [
    "CatalogVersion",
    "Context",
    "ContextDefault",
    "FallbackStep",
    "LanguageModel",
    "ModelAlias",
    "ModelMigration",
    "ProviderSync",
    "Rule",
]
