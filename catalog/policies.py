"""Whether a model may be used: the one function that every path to a provider asks, through the routing."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from accounts.policies import Actor
from catalog.models import Limit, Rule


class Target(NamedTuple):
    """What a rule looks at besides the person: the model, in which context, through whose credential."""

    context: str
    provider_id: str
    model_id: str
    credential_source: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` names the rule that decided, `reason` is a sentence for the person, empty when there is none."""

    allowed: bool
    rule: str
    reason: str = ""


FREE = Decision(True, "no_rule")


def decide(actor: Actor, rules: Sequence[Rule], target: Target) -> Decision:
    """Pure. `rules` are the workspace's: deny wins, and as soon as one allows, what none allows is denied."""
    if not rules:
        return FREE
    matching = [rule for rule in rules if _matches(rule, actor, target)]
    for rule in matching:
        if rule.effect == Rule.Effect.DENY:
            return Decision(False, f"rule:{rule.pk}", rule.reason)
    for rule in matching:
        return Decision(True, f"rule:{rule.pk}")
    if any(rule.effect == Rule.Effect.ALLOW for rule in rules):
        return Decision(False, "not_allowed", "This workspace allows only some models, and this is not one of them.")
    return FREE


def _matches(rule: Rule, actor: Actor, target: Target) -> bool:
    return (
        of_model(rule, target.provider_id, target.model_id)
        and rule.context in {"", target.context}
        and rule.role in {"", actor.role.value}
        and rule.credential_source in {"", target.credential_source}
    )


def of_model(row: Rule | Limit, provider_id: str, model_id: str) -> bool:
    """Whether a row is about this model."""
    return row.provider_id in {"", provider_id} and (not row.model_pattern or fnmatchcase(model_id, row.model_pattern))
