"""Which providers exist: a literal table, extended by entry points; an adapter is imported on first use."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from providers.contract import ProviderRuntime

ENTRY_POINT_GROUP = "parley.providers"

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_ADAPTER = re.compile(r"[\w.]+:\w+")


@dataclass(frozen=True, slots=True)
class Provider:
    """One line of the registry; `adapter` is a dotted path `module:Class`, `letter` the mark on its tile. `sessions`
    says that its adapter takes a token session as well as an API key."""

    provider_id: str
    label: str
    letter: str
    adapter: str
    status: Literal["available", "planned"] = "available"
    capabilities: frozenset[str] = frozenset({"text"})
    base_url_required: bool = False
    key_required: bool = True
    key_page: str = ""
    sessions: bool = False


_EVERYTHING = frozenset({"text", "images", "documents", "tools", "structured", "reasoning"})

BUILT_IN = (
    Provider("openai", "OpenAI", "O", "providers.adapters.openai:OpenAI", "available", _EVERYTHING, sessions=True),
    Provider(
        "anthropic",
        "Anthropic",
        "A",
        "providers.adapters.anthropic:Anthropic",
        "available",
        _EVERYTHING,
        sessions=True,
    ),
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
    """Every registered provider by id, in display order; a third party's line comes after ours.

    What a package cannot register properly is logged and left out: one bad package does not take the site down.
    """
    known = {provider.provider_id: provider for provider in BUILT_IN}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        # A stranger's module may raise anything at all; in a thread of its own it is kept instead of raised.
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(_line, point, frozenset(known))
        if error := loading.exception():
            log.error("The provider package %s is left out.", point.value, exc_info=error)
        else:
            known[loading.result().provider_id] = loading.result()
    return known


def _line(point: EntryPoint, taken: frozenset[str]) -> Provider:
    """What a package registers. Raises whatever its module raises, TypeError or ValueError for what is no such line."""
    provider = point.load()
    if not isinstance(provider, Provider):
        raise TypeError(f"{point.value} is no Provider")
    if not _NAME.fullmatch(provider.provider_id) or provider.provider_id in taken:
        raise ValueError(f"the id {provider.provider_id!r} is taken, or no name of small letters, digits and _")
    if not _ADAPTER.fullmatch(provider.adapter):
        raise ValueError(f"the adapter {provider.adapter!r} is not written as module:Class")
    return provider


def available() -> list[Provider]:
    return [provider for provider in providers().values() if provider.status == "available"]


@cache
def runtime(provider_id: str) -> ProviderRuntime:
    """The adapter of a provider, imported (with its SDK) on first use. Raises KeyError for an unknown id."""
    module, _, name = providers()[provider_id].adapter.partition(":")
    adapter: ProviderRuntime = getattr(import_module(module), name)()
    return adapter
