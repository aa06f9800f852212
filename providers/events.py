"""What a model call yields, in one vocabulary for every provider; how a run stores it is the journal's business."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from providers.contract import Message, Part


class FinishReason(enum.StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_BLOCKED = "content_blocked"
    REFUSAL = "refusal"
    CONTEXT_FULL = "context_full"
    PAUSED = "paused"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, always inclusive: input with cache reads and writes, output with reasoning. None is unknown."""

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    response_id: str | None = None
    model: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    part_index: int
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    part_index: int
    text: str
    kind: Literal["summary", "full"] = "summary"


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    part_index: int
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolArgsDelta:
    part_index: int
    call_id: str
    fragment: str


class Citation(TypedDict, total=False):
    """A source that an answer names, in one shape for all vendors; only what the vendor said is there.

    `title`, `url` (http or https) and `cited_text` (the words of the source) describe the source. Of a document that
    was sent: `document_index` counts the request's documents from 0, images left out; `page` to `last_page` are its
    pages from 1, `source_start` to `source_end` its characters from 0, the end excluded. `start` to `end` are the
    characters of the answer's part that the source stands behind. `reference` is the name that a tool's result gave
    its source.
    """

    title: str
    url: str
    cited_text: str
    document_index: int
    page: int
    last_page: int
    source_start: int
    source_end: int
    start: int
    end: int
    reference: str


@dataclass(frozen=True, slots=True)
class CitationAdded:
    part_index: int
    data: Citation


@dataclass(frozen=True, slots=True)
class PartDone:
    """A complete part with its opaque replay payload."""

    part: Part


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """Cumulative: the last one wins."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class NativeEvent:
    """Something the vendor sent that the vocabulary does not model; kept, never fatal."""

    native_type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptChanged:
    """The runtime moved on: `state` is `attempt`, `retry`, `renewal` or `fallback`, `attempt` counts the tries of a run
    from 1. A renewal is the same try with the session renewed; `backup` says that the attempt goes on with the key that
    may stand in for its session.

    `reason` is why this is tried: for the first what chose it, then the code of the failure before. A try begins
    `wait_seconds` after it was announced.
    """

    state: str
    attempt: int
    provider_id: str
    model_id: str
    reason: str = ""
    wait_seconds: float | None = None
    backup: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Exactly one, last, only after the vendor's terminal event. Anything else raises `ProviderError`."""

    reason: FinishReason
    message: Message
    native_reason: str | None = None
    usage: Usage | None = None
    response_id: str | None = None
    request_id: str | None = None


type StreamEvent = (
    Started
    | TextDelta
    | ReasoningDelta
    | ToolCallStarted
    | ToolArgsDelta
    | CitationAdded
    | PartDone
    | UsageUpdate
    | NativeEvent
    | AttemptChanged
    | Finished
)

CONTENT_EVENTS = (TextDelta, ReasoningDelta, ToolCallStarted, ToolArgsDelta, PartDone)
