"""The models that a request may name: those that an ordinary chat could use, and their aliases."""

from typing import Any

from accounts.policies import Actor
from catalog import routing
from catalog.facts import facts_for
from catalog.models import Context, LanguageModel


def models(actor: Actor) -> list[dict[str, Any]]:
    """In OpenAI's shape, aliases first."""
    facts = facts_for(actor, relayed=True)
    usable = {key: row for key, row in facts.models.items() if routing.verdict(row, Context.CHAT, facts) == "chosen"}
    aliases = {name: alias.target for name, alias in facts.aliases.items() if alias.target.key in usable}
    return [_row(name, row) for name, row in sorted((aliases | usable).items(), key=lambda item: item[0] in usable)]


def _row(name: str, row: LanguageModel) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(row.first_seen_at.timestamp()),
        "owned_by": row.provider_id,
        "context_window": row.context_window,
    }
