"""What a request asks for, in words no vendor owns: wires make an `Ask` of a body, answers read only that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

type JSON = dict[str, Any]

CHARS_PER_TOKEN = 4
_ANSWERS = ("assistant", "user")


def tokens(text: str) -> int:
    """A rough count, rounded up; the sandbox owns no tokenizer."""
    return -(-len(text) // CHARS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image or a document; `size` is its decoded length in bytes, None when only its address came."""

    media_type: str
    size: int | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back, as text."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Message:
    """`calls` are the names of the tools that an assistant message called; `results` come with the role `tool`."""

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    calls: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    """One request. `tool_choice` is auto, none, required or a tool's name; `effort` is set when the model shall reason,
    `show_reasoning` when the reasoning may be read; `schema` is a JSON Schema, `{}` stands for any object; `account` is
    whose key asks, where the vendor binds anything to it."""

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    parallel: bool = True
    schema: Mapping[str, Any] | None = None
    effort: str | None = None
    show_reasoning: bool = False
    max_tokens: int | None = None
    stream: bool = False
    account: str = ""

    @cached_property
    def prompt(self) -> Message:
        """The last message of a person."""
        return next((m for m in reversed(self.messages) if m.role == "user"), Message("user"))

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """What tools gave back since the last message of a person."""
        return tuple(result for message in self._since_prompt() for result in message.results)

    @cached_property
    def seen(self) -> tuple[int, int]:
        """How many messages came from a person and how many from a model; a tool loop counts as one answer."""
        roles = [message.role for message in self.messages if message.role != "tool"]
        answers = [role for role, before in zip(roles, ["user", *roles], strict=False) if (role, before) == _ANSWERS]
        return roles.count("user"), len(answers)

    @cached_property
    def input_tokens(self) -> int:
        return self._count(self.messages)

    @cached_property
    def cached_tokens(self) -> int:
        """The part a vendor would take from its prompt cache: all but the newest message, from 1,024 tokens on."""
        prefix = self._count(self.messages[:-1])
        return prefix // 128 * 128 if prefix >= 1024 else 0

    def _since_prompt(self) -> Iterator[Message]:
        for message in reversed(self.messages):
            if message.role == "user":
                return
            yield message

    def _count(self, messages: tuple[Message, ...]) -> int:
        said = sum(tokens(m.text) + sum(tokens(r.content) for r in m.results) + 4 for m in messages)
        attached = sum(258 for message in messages for _ in message.attachments)
        return tokens(self.system) + said + attached + sum(tokens(str(tool)) for tool in self.tools)
