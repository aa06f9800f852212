"""Facts that routing decides on, made without a database."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.models import Role
from accounts.policies import Actor
from catalog.facts import Facts
from catalog.models import LanguageModel
from providers.resolution import Descriptor, Source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOMEBODY = Actor(UUID(int=1), UUID(int=2), Role.MEMBER)


def model(key: str, **over: Any) -> LanguageModel:
    provider_id, _, model_id = key.partition("/")
    values = {"label": model_id, "last_seen_at": NOW, "shared": True} | over
    return LanguageModel(provider_id=provider_id, model_id=model_id, **values)


def credential(source: Source, provider_id: str = "openai", **over: Any) -> Descriptor:
    values = {"kind": "api_key", "state": "working", "hint": "sk-…4f2a", "sandbox": source == "sandbox"} | over
    return Descriptor(f"{source}:{provider_id}", provider_id, source, **values)


def facts(
    models: list[LanguageModel],
    descriptors: list[Descriptor],
    defaults: dict[tuple[str, str], str] | None = None,
    fallbacks: dict[str, tuple[str, ...]] | None = None,
) -> Facts:
    return Facts(SOMEBODY, {one.key: one for one in models}, tuple(descriptors), defaults or {}, fallbacks or {})


def store(*models: LanguageModel) -> None:
    for one in models:
        one.save()
