"""The catalog's rows: models, and what people choose among them."""

from catalog.models.choosing import ContextDefault, FallbackStep, ModelAlias, ModelMigration, Rule
from catalog.models.languages import CatalogVersion, Context, LanguageModel, ProviderSync
from catalog.models.limits import Limit

__all__ = [
    "CatalogVersion",
    "Context",
    "ContextDefault",
    "FallbackStep",
    "LanguageModel",
    "Limit",
    "ModelAlias",
    "ModelMigration",
    "ProviderSync",
    "Rule",
]
