"""Everything a routing decision rests on, read in a fixed number of queries; the decision is `routing`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from accounts.policies import Actor
from catalog.models import ContextDefault, FallbackStep, LanguageModel
from providers import credentials
from providers.resolution import Descriptor, Resolution, resolve

# Whose default comes first.
LEVELS = ("user", "workspace", "installation")
# A longer chain says nothing more: a run makes three attempts.
LONGEST_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """What `actor` could use: catalog rows by key in preference order, credentials without secrets, and the defaults
    by (level, context), each a model's key. `fallbacks` is the workspace's chain by context, in order, empty where
    it is turned off; a step whose model this person cannot see is a key that `models` does not hold."""

    actor: Actor
    models: Mapping[str, LanguageModel]
    descriptors: tuple[Descriptor, ...] = ()
    defaults: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Hundreds of models share a handful of credentials.
    _resolved: dict[tuple[str, bool], Resolution] = field(default_factory=dict, repr=False, compare=False)

    def resolution(self, model: LanguageModel) -> Resolution:
        """The credential that a request to this model goes out with."""
        side = (model.provider_id, model.sandbox)
        if side not in self._resolved:
            self._resolved[side] = resolve(model.provider_id, self.descriptors, sandbox_model=model.sandbox)
        return self._resolved[side]


def facts_for(actor: Actor, *, chains: bool = True) -> Facts:
    """Four queries; three without the fallback chains, which only say what follows a first attempt."""
    found = tuple(credentials.descriptors(actor))
    models = {row.key: row for row in LanguageModel.objects.all() if visible(row, found)}
    return Facts(actor, models, found, _defaults(actor), _fallbacks(actor) if chains else {})


def visible(row: LanguageModel, found: tuple[Descriptor, ...]) -> bool:
    """A model that only somebody's stored key lists is shown to those who reach its provider with a key themselves;
    a sandbox model only while the sandbox answers."""
    reached = any(one.provider_id == row.provider_id and one.sandbox == row.sandbox for one in found)
    return reached or (row.shared and not row.sandbox)


def _defaults(actor: Actor) -> dict[tuple[str, str], str]:
    mine = Q(workspace_id=actor.workspace_id) & (Q(user_id=actor.user_id) | Q(user__isnull=True))
    everybody = Q(workspace__isnull=True, user__isnull=True)
    rows = ContextDefault.objects.filter(mine | everybody).select_related("model")
    return {(level_of(row), row.context): row.model.key for row in rows}


def _fallbacks(actor: Actor) -> dict[str, tuple[str, ...]]:
    rows = FallbackStep.objects.filter(workspace_id=actor.workspace_id, enabled=True).select_related("model")
    chains: dict[str, tuple[str, ...]] = {}
    for row in rows.order_by("context", "order"):
        chains[row.context] = (*chains.get(row.context, ()), row.model.key)[:LONGEST_CHAIN]
    return chains


def level_of(row: ContextDefault) -> str:
    if row.user_id is not None:
        return "user"
    return "workspace" if row.workspace_id is not None else "installation"
