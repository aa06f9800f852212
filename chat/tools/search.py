"""The tool that searches a person's own conversations; nobody else's are ever seen."""

from collections.abc import Mapping
from typing import Any

from accounts.policies import Actor
from chat.database import in_db
from chat.lists import search
from chat.tools.contract import Scope, Tool
from providers.contract import ToolSpec

MOST = 10
PARAMETERS = {
    "type": "object",
    "properties": {
        "words": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "What the conversation contains, word for word, in its title or in a message.",
        }
    },
    "required": ["words"],
    "additionalProperties": False,
}
SPEC = ToolSpec(
    "search_conversations",
    "Searches the earlier conversations of the person you talk to. Gives the titles and one matching line each.",
    PARAMETERS,
)


def tool(actor: Actor) -> Tool:
    async def find(arguments: Mapping[str, Any], scope: Scope) -> str:
        return await in_db(_found, actor, arguments["words"], scope)

    return Tool(SPEC, find)


def _found(actor: Actor, words: str, scope: Scope) -> str:
    """The conversation that asks is left out: its question holds the words."""
    items = [item for item in search(actor, words) if item.id != scope.run.conversation_id]
    if not items:
        return f"No other conversation contains “{words}”."
    lines = [f"- {item.title}: {item.excerpt}" if item.excerpt else f"- {item.title}" for item in items[:MOST]]
    more = f"\n({len(items) - MOST} more are not shown.)" if len(items) > MOST else ""
    return "\n".join(lines) + more
