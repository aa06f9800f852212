"""The table: ids inside of what is sent. Another's is refused as one that does not exist is, and changes nothing."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """`{}` in the body is the id; `kind` is what it names; `own` the kind of the thing in the address, if any."""

    name: str
    field: str
    kind: str
    body: dict[str, Any]
    own: str = ""
    several: bool = False


RUN = {"context": "chat", "input": "Hello"}
REFERENCES = (
    Reference("chat_api:runs", "conversation", "conversation", RUN),
    Reference("chat_api:runs", "parent", "answer", RUN),
    Reference("chat_api:runs", "edits", "message", RUN),
    Reference("chat_api:runs", "answer_to", "message", {"context": "chat"}),
    Reference("chat_api:runs", "continues", "answer", {"context": "chat"}),
    Reference("chat_api:runs", "attachments", "attachment", RUN, several=True),
    Reference("chat_api:runs", "attachments", "document", RUN, several=True),
    Reference("chat_api:runs", "credential", "credential", {**RUN, "model": "openai/gpt-x"}),
    Reference("chat_api:explain", "credential", "credential", {"model": "openai/gpt-x"}),
    Reference("chat:new", "attachments", "attachment", {"text": "Hello"}, several=True),
    Reference("chat:conversation", "parent", "answer", {"text": "Hello"}, own="conversation"),
    Reference("chat:conversation", "edits", "message", {"text": "Hello"}, own="conversation"),
    Reference("chat:new", "parent", "answer", {"text": "Hello"}),
    Reference("chat_api:summary", "at", "answer", {}, own="conversation"),
    Reference("catalog_api:limits", "member", "member's account", {"hard": 1}),
    Reference("providers:check", "ref", "credential", {}),
    Reference("accounts:switch_workspace", "workspace", "workspace", {}),
)
PREFIXES = {"ref": "credential:"}
# What else looks like an id in a body of the API and names nothing that belongs to anybody.
NOBODYS: dict[str, str] = {}
