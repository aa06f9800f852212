"""Effective access: which models a member may use in a context, which rule decides that, and why. Nobody is called; it
is what routing would say."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Membership
from accounts.policies import Actor, actor_for, require_administering
from accounts.problems import not_found
from catalog import policies, routing
from catalog.facts import Facts, facts_for
from catalog.models import LanguageModel, Rule

NOT_ALLOWED = "not_allowed"
WORDS = {
    "vanished": "Its provider no longer lists it.",
    "no_credential": "There is no key for its provider.",
}


@dataclass(frozen=True, slots=True)
class Access:
    """One model for one member. `allowed` is what the rules say, `verdict` what a request would meet: `chosen`, or why
    it would not go out. `decided_by` is `no_rule`, `not_allowed` or `rule:<id>`, and `rule` that very row. `source` is
    whose credential it would go out with, empty without any; which of them is nobody else's business."""

    model: LanguageModel
    allowed: bool
    verdict: str
    decided_by: str
    rule: Rule | None
    source: str
    why: str

    @property
    def usable(self) -> bool:
        return self.verdict == "chosen"


def member(actor: Actor, user_id: UUID | None) -> Actor:
    """The member whose access is asked for: oneself (None), or, for an administrator, anybody in the workspace. Raises
    Problem 403, 404."""
    if user_id is None or user_id == actor.user_id:
        return actor
    require_administering(actor)
    found = Membership.objects.filter(workspace_id=actor.workspace_id, user_id=user_id).first()
    if found is None:
        raise not_found()
    return actor_for(found)


def of(whose: Actor, context: str, words: str = "") -> Iterator[Access]:
    """Every model that the member sees and whose name holds the words, by provider and label. Three queries."""
    facts = facts_for(whose)
    rules = {f"rule:{rule.pk}": rule for rule in facts.rules}
    wanted = words.lower().split()
    for model in sorted(facts.models.values(), key=lambda one: (one.sandbox, one.provider_id, one.label)):
        if all(word in f"{model.key} {model.label}".lower() for word in wanted):
            yield _access(model, context, facts, rules)


def _access(model: LanguageModel, context: str, facts: Facts, rules: dict[str, Rule]) -> Access:
    used = facts.resolution(model).chosen
    source = used.source if used else ""
    target = policies.Target(context, model.provider_id, model.model_id, source)
    decision = policies.decide(facts.actor, facts.rules, target)
    verdict = routing.verdict(model, context, facts)
    rule = rules.get(decision.rule)
    return Access(model, decision.allowed, verdict, decision.rule, rule, source, _why(verdict, decision, rule))


def _why(verdict: str, decision: policies.Decision, rule: Rule | None) -> str:
    if verdict in WORDS:
        return WORDS[verdict]
    if rule is not None:
        return rule.reason or f"A rule says: {rule}."
    return decision.reason or "No rule is about it."
