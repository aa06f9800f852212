"""Everything a routing decision rests on, read in a fixed number of queries; the decision is `routing`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.policies import Actor
from catalog import snapshot
from catalog.models import ContextDefault, LanguageModel, ModelAlias, Rule
from providers import credentials, registry
from providers.resolution import Descriptor, Reference, Resolution, resolve

# Whose default comes first.
LEVELS = ("user", "workspace", "installation")


@dataclass(frozen=True, slots=True)
class Facts:
    """What `actor` could use: catalog rows by key in preference order, credentials without secrets, and the defaults
    by (level, context), each a model's key. `fallbacks` is the workspace's chain by context, in order, empty where
    it is turned off; a step whose model this person cannot see is a key that `models` does not hold. `written`
    is the snapshot's."""

    actor: Actor
    models: Mapping[str, LanguageModel]
    descriptors: tuple[Descriptor, ...] = ()
    defaults: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    # By name; the workspace's own before the installation's.
    aliases: Mapping[str, ModelAlias] = field(default_factory=dict)
    written: dict[Any, bytes] = field(default_factory=dict, repr=False, compare=False)
    # The credential that the request itself names.
    reference: Reference | None = None
    # Hundreds of models share a handful of credentials.
    _resolved: dict[tuple[str, bool], Resolution] = field(default_factory=dict, repr=False, compare=False)

    def alias(self, name: str) -> ModelAlias | None:
        """What the name stands for, unless a model has it."""
        return None if name in self.models else self.aliases.get(name)

    def resolution(self, model: LanguageModel) -> Resolution:
        """The credential that a request to this model goes out with."""
        side = (model.provider_id, model.sandbox)
        if side not in self._resolved:
            known = registry.providers().get(model.provider_id)
            self._resolved[side] = resolve(
                model.provider_id,
                self.descriptors,
                sandbox_model=model.sandbox,
                reference=self.reference,
                knows_sessions=known is not None and known.sessions,
            )
        return self._resolved[side]


def facts_for(actor: Actor, reference: Reference | None = None, *, relayed: bool = False) -> Facts:
    """Three queries: the credentials, whether the catalog in memory still holds, and the person's own defaults. A
    request that was `relayed` came through the OpenAI-compatible API."""
    found = tuple(credentials.descriptors(actor, relayed=relayed))
    shelf = snapshot.current()
    reached = {(one.provider_id, one.sandbox) for one in found if not one.barred}
    mine = actor.workspace_id
    return Facts(
        actor,
        {key: row for key, row in shelf.models.items() if visible(row, reached)},
        found,
        _defaults(actor, shelf),
        shelf.chains.get(mine, {}),
        tuple(shelf.rules.get(mine, ())),
        shelf.aliases.get(None, {}) | shelf.aliases.get(mine, {}),
        written=shelf.written,
        reference=reference,
    )


def visible(row: LanguageModel, reached: Collection[tuple[str, bool]]) -> bool:
    """A model that only somebody's stored key lists is shown to those who reach its provider with a key themselves;
    a sandbox model only while the sandbox answers. `reached` are (provider_id, whether in the sandbox)."""
    return (row.provider_id, row.sandbox) in reached or (row.shared and not row.sandbox)


def _defaults(actor: Actor, shelf: snapshot.Snapshot) -> dict[tuple[str, str], str]:
    own = ContextDefault.objects.filter(workspace_id=actor.workspace_id, user_id=actor.user_id).select_related("model")
    levels = (
        {row.context: row.model.key for row in own},
        shelf.defaults.get(actor.workspace_id, {}),
        shelf.defaults.get(None, {}),
    )
    return {(level, context): key for level, by in zip(LEVELS, levels, strict=True) for context, key in by.items()}
