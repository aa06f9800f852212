"""What an OpenAI client may send, as bounded shapes, and what all its requests have in common."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from accounts.problems import Problem
from chat.protocol import MAX_INPUT_CHARS
from providers.contract import MediaPart, Message, Part, TextPart, ToolResultPart, ToolSpec
from providers.events import Usage

MOST_MESSAGES = 2_000
MOST_TOOLS = 128
JSON_OBJECT = "Answer with one JSON object and with nothing else: no words around it, no fence."
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Question:
    """A request in our own words. `model` is what the client called it, `schema` (name, JSON Schema), `ignored` are the
    fields that were sent and change nothing here."""

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    schema: tuple[str, Mapping[str, Any]] | None = None
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    ignored: tuple[str, ...] = ()

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that the model must have."""
        parts = [part for message in self.messages for part in message.parts if isinstance(part, MediaPart)]
        pictures = any(part.media_type.startswith("image/") for part in parts)
        return frozenset([*(["vision"] if pictures else []), *(["tools"] if self.tools else [])])


def refused(param: str, detail: str, code: str = "invalid_request") -> Problem:
    return Problem(400, code, "This request makes no sense to us.", detail, param=param)


def decoded[T: msgspec.Struct](body: bytes, shape: type[T], neutral: Mapping[str, Any]) -> tuple[T, tuple[str, ...]]:
    """The body as its shape, and the fields that the shape does not know and that are not at their neutral value.
    Raises Problem 400 that names the field."""
    try:
        sent = msgspec.json.decode(body)
        found = msgspec.convert(sent, shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused("", str(error)[:300]) from None
    known = set(shape.__struct_encode_fields__)
    other = [name for name in sent if name not in known and sent[name] not in (None, neutral.get(name), [], {})]
    return found, tuple(name[:40] for name in other[:20])


def picture(url: str, param: str) -> MediaPart:
    """A picture from its data URL: nothing is fetched for a client. Raises Problem 400."""
    media_type, data = _data_url(url, param)
    if not media_type.startswith("image/"):
        raise refused(param, "This is no picture.")
    return MediaPart(media_type=media_type, data=data)


def document(url: str, filename: str, param: str) -> MediaPart:
    """A file from its data URL."""
    media_type, data = _data_url(url, param)
    return MediaPart(media_type=media_type, data=data, filename=filename[:200] or "file")


def _data_url(url: str, param: str) -> tuple[str, bytes]:
    head, comma, content = url.partition(",")
    if not comma or not head.startswith("data:"):
        raise refused(param, "Send the file itself as a data: URL; addresses are not fetched.")
    media_type, _, encoding = head.removeprefix("data:").partition(";")
    try:
        data = b64decode(content, validate=True) if encoding.endswith("base64") else unquote_to_bytes(content)
    except ValueError:
        raise refused(param, "This is not base64.") from None
    return media_type.lower() or "text/plain", data


class Thread:
    """Messages as they are told one after the other: neighbours with one role are one message."""

    def __init__(self) -> None:
        self.system: list[str] = []
        self._said: list[tuple[Any, list[Part]]] = []
        self._names: dict[str, str] = {}
        self._chars = 0

    def add(self, role: str, *parts: Part) -> None:
        for part in parts:
            self._chars += len(getattr(part, "text", "") or getattr(part, "content", ""))
        if self._chars > MAX_INPUT_CHARS:
            raise refused("messages", f"All messages together may have {MAX_INPUT_CHARS:,} characters.", "too_long")
        if self._said and self._said[-1][0] == role:
            self._said[-1][1].extend(parts)
        elif parts:
            self._said.append((role, list(parts)))

    def called(self, call_id: str, name: str) -> None:
        self._names[call_id] = name

    def result(self, call_id: str, content: str, param: str) -> None:
        """Raises Problem 400 for the result of a call that nobody made."""
        if call_id not in self._names:
            raise refused(param, "No message before this one calls a tool with this id.")
        self.add("tool", ToolResultPart(call_id=call_id, name=self._names[call_id], content=content))

    def messages(self) -> tuple[Message, ...]:
        """Raises Problem 400 when there is nothing to answer."""
        if not self._said:
            raise refused("messages", "There is no message to answer.")
        return tuple(Message(role, tuple(parts)) for role, parts in self._said)


def system_of(thread: Thread, format_type: str) -> str:
    """What the model is told first; a client that wants any JSON object has it asked for in words."""
    return "\n\n".join([*thread.system, *([JSON_OBJECT] if format_type == "json_object" else [])])


def limit_of(tokens: int | None, param: str) -> int | None:
    if tokens is not None and tokens < 1:
        raise refused(param, "At least 1.")
    return tokens


def text(content: str) -> tuple[TextPart, ...]:
    return (TextPart(text=content),) if content else ()


def tools_of(specs: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    """Raises Problem 400 for too many tools or two of one name."""
    if len(specs) > MOST_TOOLS:
        raise refused("tools", f"At most {MOST_TOOLS} tools.")
    if len({spec.name for spec in specs}) < len(specs):
        raise refused("tools", "Two tools have the same name.")
    return tuple(specs)


def choice_of(choice: str | Mapping[str, Any] | None, specs: Sequence[ToolSpec]) -> str:
    """`auto`, `none`, `required` or a tool's name. Raises Problem 400."""
    if choice is None or not specs:
        return "auto"
    if isinstance(choice, str):
        if choice in {"auto", "none", "required"}:
            return choice
        raise refused("tool_choice", "auto, none, required, or a function.")
    name = choice.get("name") or (choice.get("function") or {}).get("name")
    if name not in {spec.name for spec in specs}:
        raise refused("tool_choice", "There is no tool with this name.")
    return str(name)


def effort_of(effort: str | None) -> str | None:
    if effort is not None and effort not in EFFORTS:
        raise refused("reasoning_effort", f"One of {', '.join(EFFORTS)}.")
    return effort


def usage_of(usage: Usage | None, asked: str, said: str) -> Mapping[str, Any] | None:
    """Under the names that a wire has for what was asked and what was said. None where the provider did not count: a
    made-up zero would be believed."""
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return {
        f"{asked}_tokens": usage.input_tokens,
        f"{asked}_tokens_details": {"cached_tokens": usage.cached_input_tokens or 0},
        f"{said}_tokens": usage.output_tokens,
        f"{said}_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
