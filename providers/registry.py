"""Which providers exist: a literal table, extended by entry points; an adapter is imported on first use."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Literal

from providers.contract import ProviderRuntime

ENTRY_POINT_GROUP = "parley.providers"


@dataclass(frozen=True, slots=True)
class Provider:
    """One line of the registry; `adapter` is a dotted path `module:Class`, `letter` the mark on its tile."""

    provider_id: str
    label: str
    letter: str
    adapter: str
    status: Literal["available", "planned"] = "available"
    capabilities: frozenset[str] = frozenset({"text"})
    base_url_required: bool = False
    key_required: bool = True
    key_page: str = ""


_EVERYTHING = frozenset({"text", "images", "documents", "tools", "structured", "reasoning"})

BUILT_IN = (
    Provider("openai", "OpenAI", "O", "providers.adapters.openai:OpenAI", "available", _EVERYTHING),
    Provider("anthropic", "Anthropic", "A", "providers.adapters.anthropic:Anthropic", "available", _EVERYTHING),
    Provider("gemini", "Google Gemini", "G", "providers.adapters.gemini:Gemini", "available", _EVERYTHING),
    Provider("mistral", "Mistral", "M", "providers.adapters.mistral:Mistral", "available", _EVERYTHING),
    Provider(
        "openai_compatible",
        "OpenAI-compatible",
        "C",
        "providers.adapters.openai_compatible:OpenAICompatible",
        "available",
        frozenset({"text", "images", "tools", "structured"}),
        base_url_required=True,
        key_required=False,
    ),
)


@cache
def providers() -> dict[str, Provider]:
    """Every registered provider by id, in display order; a third party's line comes after ours."""
    known = {provider.provider_id: provider for provider in BUILT_IN}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        provider: Provider = point.load()
        known.setdefault(provider.provider_id, provider)
    return known


def available() -> list[Provider]:
    return [provider for provider in providers().values() if provider.status == "available"]


@cache
def runtime(provider_id: str) -> ProviderRuntime:
    """The adapter of a provider, imported (with its SDK) on first use. Raises KeyError for an unknown id."""
    module, _, name = providers()[provider_id].adapter.partition(":")
    adapter: ProviderRuntime = getattr(import_module(module), name)()
    return adapter
