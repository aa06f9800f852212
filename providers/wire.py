"""What every adapter does with a wire, whatever the SDK: open the key, read JSON, drive a reader, carry media."""

import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from providers.contract import MediaPart, OpenCredential, ToolCallPart
from providers.errors import ErrorCode, ProviderError
from providers.events import StreamEvent
from providers.faults import WORDS
from providers.sse_wire import LINE_LIMIT, Splitter

BODY_LIMIT = 8 * 1024 * 1024
UNUSABLE_KEY = "unusable_key"


# ---------------------------------------------------------------- credentials
def key_of(credential: OpenCredential) -> str:
    """The secret, fit for a header. Raises `missing_auth` for none and `invalid_auth` for what no header can carry:
    an SDK would take an empty one from its environment, and send a broken one in pieces."""
    value = credential.secret.reveal()
    code = None
    if not value.strip():
        code = ErrorCode.MISSING_AUTH
    elif not value.isascii() or any(not "!" <= character <= "~" for character in value):
        code = ErrorCode.INVALID_AUTH
    if code:
        raise ProviderError(code, WORDS[code], provider_id=credential.provider_id, detail=UNUSABLE_KEY)
    return value


# ---------------------------------------------------------------- reading
class Reader(Protocol):
    """Turns the data of a vendor's events into ours; knows no socket."""

    def read(self, data: bytes) -> Iterable[StreamEvent]: ...

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        """At the end of the stream; `stray` is what came outside of any event. No `Finished` means it was cut."""
        ...


async def events(
    chunks: AsyncIterator[bytes], reader: Reader, *, limit: int = LINE_LIMIT
) -> AsyncGenerator[StreamEvent]:
    """Everything that `reader` makes of these bytes. Raises `LineTooLong` and what the reader raises."""
    splitter = Splitter(limit)
    async for chunk in chunks:
        for data in splitter.feed(chunk):
            for event in reader.read(data):
                yield event
    for data in splitter.end():
        # Some servers leave out the last blank line; half an event after a cut is no event.
        with suppress(ValueError):
            for event in reader.read(data):
                yield event
    for event in reader.end(splitter.stray):
        yield event


def decode[T](data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """JSON of a known shape. Half a surrogate pair, or a byte that is no UTF-8, does not lose the event.

    Raises `ValueError` for what is not JSON or not of that shape.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except ValueError:
        return msgspec.convert(json.loads(data.decode("utf-8", "replace")), decoder.type)


def loose(data: bytes) -> dict[str, Any]:
    """Any JSON object, or an empty one."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def body(chunks: AsyncIterator[bytes]) -> bytes:
    """A whole response of at most 8 MiB; a server that sends more is not listing models."""
    whole = bytearray()
    async for chunk in chunks:
        whole += chunk
        if len(whole) > BODY_LIMIT:
            raise ValueError("the response is too large")
    return bytes(whole)


def mended(text: str) -> str:
    """Halves of surrogate pairs that arrived in two deltas become one character; a lone half becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def dumped(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def moment(told: str | float | None) -> datetime | None:
    """A vendor's date: unix seconds or ISO; None for none, or for one that cannot be."""
    try:
        if isinstance(told, str):
            date = datetime.fromisoformat(told)
            return date if date.tzinfo else date.replace(tzinfo=UTC)
        return datetime.fromtimestamp(told, UTC) if told else None
    except (ValueError, OverflowError, OSError):
        return None


# ---------------------------------------------------------------- writing
def base64_of(part: MediaPart) -> str:
    return b64encode(part.data).decode("ascii")


def data_url(part: MediaPart) -> str:
    return f"data:{part.media_type};base64,{base64_of(part)}"


def object_in(arguments: str) -> dict[str, Any] | None:
    """The JSON object that a call's arguments are; None for what a vendor answers 400 to when it comes back: text that
    is no JSON (NaN and endless numbers are none), and JSON that is no object."""
    try:
        value = json.loads(arguments.strip() or "{}")
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def arguments_of(part: ToolCallPart) -> dict[str, Any]:
    """A call's arguments as the object that every vendor wants; what a model wrote that is none is kept, as text, under
    a name of its own: the result behind it says what was wrong with it."""
    value = object_in(part.arguments)
    return {"arguments": part.arguments} if value is None else value


def arguments_text(part: ToolCallPart) -> str:
    """The same as JSON text, to the letter where it is an object already."""
    readable = part.arguments.strip() and object_in(part.arguments) is not None
    return part.arguments if readable else dumped(arguments_of(part))


def short_id(call_id: str, most: int) -> str:
    """An id of at most `most` characters, the same one for the same call every time."""
    return call_id if len(call_id) <= most else hashlib.sha256(call_id.encode()).hexdigest()[:most]


def is_text(part: MediaPart) -> bool:
    return part.media_type.startswith("text/") or part.media_type in {"application/json", "application/xml"}


def words_of(part: MediaPart, provider_id: str) -> str:
    """What there is to read in a document: the words read out of it, or its own.

    Raises `ProviderError` for a file without any.
    """
    if part.text or is_text(part):
        return part.text or part.data.decode("utf-8", "replace")
    raise ProviderError(
        ErrorCode.INVALID_REQUEST,
        f"This provider cannot read {part.media_type[:80]} files.",
        provider_id=provider_id,
        detail="unsupported_media",
    )


def as_text(part: MediaPart, provider_id: str) -> str:
    """A document as words under its name, where the vendor does not take the file. Raises as `words_of`."""
    words = words_of(part, provider_id)
    return f"{part.filename}:\n\n{words}" if part.filename else words


def strict(schema: Mapping[str, Any]) -> bool:
    """Whether a JSON Schema meets the rules of "strict" outputs: closed objects whose properties are all required."""
    nested: list[Any] = [schema.get("items"), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties):
            return False
        nested += properties.values()
    return all(strict(item) for item in nested if isinstance(item, Mapping))
