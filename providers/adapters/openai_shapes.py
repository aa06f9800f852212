"""The fields of OpenAI's Responses events that are read; everything else on the wire is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Event(msgspec.Struct):
    """The fields that are used, of every event that is understood."""

    type: str = ""
    delta: str = ""
    output_index: int = 0
    summary_index: int = 0
    item: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None


class Content(msgspec.Struct):
    type: str = ""
    text: str | None = ""
    refusal: str | None = ""


class Item(msgspec.Struct):
    type: str = ""
    call_id: str = ""
    name: str = ""
    arguments: str | None = ""
    content: list[Content] | None = None
    summary: list[Content] | None = None


class Tokens(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: Tokens | None = None
    output_tokens_details: Tokens | None = None


class Reason(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    usage: Usage | None = None
    incomplete_details: Reason | None = None
    output: list[dict[str, Any]] | None = None

    def counted(self) -> events.Usage | None:
        if self.usage is None:
            return None
        into, out = self.usage.input_tokens_details or Tokens(), self.usage.output_tokens_details or Tokens()
        return events.Usage(
            input_tokens=self.usage.input_tokens,
            cached_input_tokens=into.cached_tokens,
            output_tokens=self.usage.output_tokens,
            reasoning_tokens=out.reasoning_tokens,
        )
