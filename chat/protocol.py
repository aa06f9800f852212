"""The shapes of a run: the command that starts it, the journal's closed set of events, and how events fold into a
message. Pure: no database, no transport."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from providers import events
from providers.contract import ToolSpec
from providers.errors import REMEDIES, ErrorCode, ProviderError
from providers.redaction import identifier

MAX_INPUT_CHARS = 400_000
MAX_ANSWER_CHARS = 1_000_000

EVENT_TYPES = frozenset(
    {
        "reasoning_delta",
        "content_delta",
        "tool_call_start",
        "tool_call_delta",
        "tool_call_result",
        "status",
        "error",
        "done",
    }
)
TERMINAL = frozenset({"error", "done"})
LIMIT_REACHED = "limit_reached"
# Where a sub-code says more than its code.
REMEDIATIONS = {
    "no_tool_results": "Start again, and post the results of the tools to the run while it waits.",
    LIMIT_REACHED: "Wait until counting begins anew, or ask an administrator of the workspace to raise the limit.",
    "invalid_output": "Loosen the schema, say more about what is wanted, or choose another model.",
}
# What a result adds to its call: the text, whether it says what went wrong, and how long it took.
RESULT = ("result", "is_error", "ms")
DELTAS = frozenset({"reasoning_delta", "content_delta", "tool_call_delta"})


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asked for: `text` as a new message, or, with `answer_to`, another answer to a message that exists.

    `parent_id` is the message the new one follows (None: the conversation's leaf); `edits` names an own message that
    the new one is another version of. `model` is `provider/model_id` or empty for the default. `continues` names an
    interrupted answer whose text the new one goes on from. `attachments` are the files that go with a new message; None
    for another version of a message means those it has. `tools` are the keys of the conversation's tools from now on
    (None: as they are), `client_tools` those that the caller executes; `tool_choice` is auto, none, required or a name.
    `compact` has the older messages summarised first. `context` is chat or orchestration, empty for the conversation's
    own; it stays the conversation's. `credential` names the credential to use, where the workspace allows that.
    """

    text: str = ""
    conversation_id: UUID | None = None
    parent_id: UUID | None = None
    edits: UUID | None = None
    answer_to: UUID | None = None
    continues: UUID | None = None
    attachments: tuple[UUID, ...] | None = None
    model: str = ""
    tools: tuple[str, ...] | None = None
    client_tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    context: str = ""
    compact: bool = False
    credential: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `sequence` counts from 1 without gaps within a stream."""

    sequence: int
    event_type: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def terminal(self) -> bool:
        return self.event_type in TERMINAL


def clean(text: str) -> str:
    """Text as it can be stored anywhere: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def record(event: events.StreamEvent) -> tuple[str, dict[str, Any]] | None:
    """The journal's (event_type, data) for a provider event, or None for what only the runner needs."""
    entry: tuple[str, dict[str, Any]]
    match event:
        case events.TextDelta(text=text):
            entry = ("content_delta", {"delta": clean(text)})
        case events.ReasoningDelta(text=text, kind=kind):
            entry = ("reasoning_delta", {"delta": clean(text), "kind": kind})
        case events.ToolCallStarted(call_id=call_id, name=name):
            entry = ("tool_call_start", {"tool_call_id": clean(call_id), "name": clean(name), "args": ""})
        case events.ToolArgsDelta(call_id=call_id, fragment=fragment):
            entry = ("tool_call_delta", {"tool_call_id": clean(call_id), "delta": clean(fragment)})
        case events.AttemptChanged():
            entry = ("status", moved(event))
        case events.NativeEvent(native_type=native_type):
            entry = ("status", {"state": "native", "type": clean(native_type)[:80]})
        case events.CitationAdded(data=data):
            entry = ("status", {"state": "citation", "citation": dict(data)})
        case _:
            return None
    return entry


def moved(event: events.AttemptChanged) -> dict[str, Any]:
    """The `status` event of another try."""
    return {key: value for key, value in asdict(event).items() if value not in ("", None, False)}


def done(finished: events.Finished, *, provider_id: str, model_id: str) -> dict[str, Any]:
    usage = {key: value for key, value in asdict(finished.usage or events.Usage()).items() if value is not None}
    data: dict[str, Any] = {
        "reason": "completed",
        "finish_reason": finished.reason.value,
        "usage": usage,
        "provider_id": provider_id,
        "model_id": model_id,
    }
    response_id = identifier(finished.response_id)
    return data | ({"response_id": response_id} if response_id else {})


def stopped(*, provider_id: str, model_id: str) -> dict[str, Any]:
    return {
        "reason": "user_stop",
        "finish_reason": "stopped",
        "usage": {},
        "provider_id": provider_id,
        "model_id": model_id,
    }


def failure(error: ProviderError) -> dict[str, Any]:
    """The `error` event of a failed run; `action` names the remedy for pages."""
    remedy = REMEDIES[error.code]
    data: dict[str, Any] = {
        "code": error.code.value,
        "message": clean(error.message),
        "remediation": REMEDIATIONS.get(error.detail or "", remedy.sentence),
        "action": remedy.action,
        "retryable": error.retryable,
        "provider_id": error.provider_id,
    }
    if error.retry_after is not None:
        data["retry_after"] = error.retry_after
    if error.detail:
        data["detail"] = error.detail
    if error.request_id:
        data["request_id"] = clean(error.request_id)[:120]
    return data


def interrupted(provider_id: str = "") -> dict[str, Any]:
    """The `error` event of a run whose process was lost."""
    lost = "The process that was writing this answer ended. What arrived is kept."
    return failure(ProviderError(ErrorCode.INTERRUPTED, lost, provider_id=provider_id))


def join(entries: Iterable[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Merge neighbouring deltas of one kind: fewer rows, the same fold."""
    joined: list[tuple[str, dict[str, Any]]] = []
    for event_type, data in entries:
        if joined and event_type in DELTAS and joined[-1][0] == event_type:
            last = joined[-1][1]
            if last.keys() == data.keys() and all(last[key] == data[key] for key in data if key != "delta"):
                joined[-1] = (event_type, {**data, "delta": last["delta"] + data["delta"]})
                continue
        joined.append((event_type, data))
    return joined


class Fold:
    """The message that a prefix of the journal means; `parts` equals the stored message once the run has ended."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._calls: dict[str, dict[str, Any]] = {}
        self.chars = 0

    def add(self, event_type: str, data: Mapping[str, Any]) -> None:
        match event_type:
            case "content_delta":
                # `index` counts the drafts of a run that writes more than one.
                self._extend({"type": "text"} | {key: data[key] for key in ("index",) if key in data}, data["delta"])
            case "reasoning_delta":
                self._extend({"type": "reasoning", "kind": data.get("kind", "summary")}, data["delta"])
            case "tool_call_start":
                self._close()
                call = {"type": "tool_call", "id": data["tool_call_id"], "name": data["name"], "args": data["args"]}
                self._calls[data["tool_call_id"]] = call
                self._parts.append(call)
            case "tool_call_delta" if data["tool_call_id"] in self._calls:
                self._calls[data["tool_call_id"]]["args"] += data["delta"]
                self.chars += len(data["delta"])
            case "tool_call_result" if data["tool_call_id"] in self._calls:
                self._calls[data["tool_call_id"]] |= {key: data[key] for key in RESULT if key in data}

    def _extend(self, head: dict[str, Any], delta: str) -> None:
        open_part = self._parts[-1] if self._text else None
        if open_part is None or any(open_part.get(key) != value for key, value in head.items()):
            self._close()
            self._parts.append({**head, "text": ""})
        self._text.append(delta)
        self.chars += len(delta)

    def _close(self) -> None:
        if self._text:
            self._parts[-1]["text"] += "".join(self._text)
            self._text = []

    @property
    def parts(self) -> list[dict[str, Any]]:
        """A copy that later events do not change."""
        parts = [dict(part) for part in self._parts]
        if self._text:
            parts[-1]["text"] += "".join(self._text)
        return parts


def fold(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The parts of the message that these entries mean."""
    state = Fold()
    for entry in entries:
        state.add(entry.event_type, entry.data)
    return state.parts
