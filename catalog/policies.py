"""Whether a model may be used: the one function that every path to a provider asks, through the routing."""

from dataclasses import dataclass

from accounts.policies import Actor


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` names the rule that decided, `reason` is a sentence for the person."""

    allowed: bool
    rule: str
    reason: str


def decide(actor: Actor, *, context: str, provider_id: str, model_id: str, credential_source: str) -> Decision:
    """Pure. Workspaces have no rules yet, so nothing is denied; deny will win over allow."""
    return Decision(True, "no_rule", "")
