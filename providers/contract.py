"""What every provider can do and the values that cross that line; no Django, no SDK, no wire."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from providers.errors import ProviderError
from providers.secrets import Secret

if TYPE_CHECKING:
    from providers.events import Finished, StreamEvent


class Origin(NamedTuple):
    """Who made a part. `account` names the account behind the credential: what a vendor seals, no other account of
    the same vendor can open."""

    provider_id: str
    model_id: str
    account: str = ""


# ---------------------------------------------------------------- credentials
@dataclass(frozen=True, slots=True)
class OpenCredential:
    """A credential ready for one call: the secret is inside, `ref` and `source` are safe to log.

    `base_url` is empty for the vendor's own address, `api_version` for the adapter's choice. `kind` is `api_key` or
    `session`, `method` how a stored session came about. `account` changes when another key takes this one's place;
    without it `ref` stands for the account.
    """

    provider_id: str
    ref: str
    secret: Secret = field(repr=False)
    kind: Literal["api_key", "session"] = "api_key"
    base_url: str = ""
    api_version: str = ""
    account: str = ""
    method: str = ""

    def origin(self, model_id: str) -> Origin:
        """Of what this credential's account gets from a model."""
        return Origin(self.provider_id, model_id, self.account or self.ref)


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """The result of an unbilled call; `latency_ms` is its duration, `model_count` what the key can list."""

    ok: bool
    latency_ms: int
    error: ProviderError | None = None
    model_count: int | None = None


# ---------------------------------------------------------------- catalog
@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row of a provider's own list. None means the provider did not say, never no."""

    model_id: str
    label: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    supports_tools: bool | None = None
    supports_vision: bool | None = None
    supports_documents: bool | None = None
    supports_reasoning: bool | None = None
    supports_structured: bool | None = None
    created_at: datetime | None = None
    retires_at: datetime | None = None
    # The id of the model that the provider means to follow this one.
    successor: str | None = None


# ---------------------------------------------------------------- messages
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a message. `opaque` is the vendor's own item, replayed verbatim only to the same `origin`."""

    origin: Origin | None = None
    opaque: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart(Part):
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningPart(Part):
    text: str = ""
    kind: Literal["summary", "full"] = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPart(Part):
    """`arguments` is the raw JSON text; it is parsed once, when the tool runs."""

    call_id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultPart(Part):
    call_id: str
    name: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPart(Part):
    """An image or a document, inline.

    `text` is what was read out of a document by whoever took it in, empty for nothing. An adapter whose vendor takes
    the file itself sends the file; every other one sends this text under the file's name, and refuses a file without
    any (`invalid_request`/`unsupported_media`) before anything leaves.
    """

    media_type: str
    data: bytes = field(repr=False)
    filename: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["user", "assistant", "tool"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class ToolSpec:
    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. `idle` is the longest silence between two events, `total` bounds the whole call."""

    connect: float = 5.0
    first_event: float = 60.0
    idle: float = 60.0
    total: float = 900.0


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """`response_schema` is (name, JSON Schema); `end_user` an opaque identifier of at most 64 characters."""

    model_id: str
    messages: Sequence[Message]
    system: str = ""
    tools: Sequence[ToolSpec] = ()
    tool_choice: str = "auto"
    response_schema: tuple[str, Mapping[str, Any]] | None = None
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    end_user: str | None = None
    deadlines: Deadlines = Deadlines()


# ---------------------------------------------------------------- the contract
class ProviderRuntime(Protocol):
    """One provider. Adapters implement it over an SDK; every failure leaves as `ProviderError`."""

    provider_id: str

    async def list_models(self, credential: OpenCredential) -> list[ModelInfo]: ...

    async def generate(self, credential: OpenCredential, request: GenerateRequest) -> "Finished": ...

    def stream_generate(
        self, credential: OpenCredential, request: GenerateRequest
    ) -> AsyncGenerator["StreamEvent"]: ...

    async def validate_credential(self, credential: OpenCredential) -> CredentialCheck: ...

    def normalize_error(self, error: BaseException, *, partial: bool = False) -> ProviderError: ...
