"""The fields of Anthropic's stream events and model list that are read; everything else on the wire is skipped."""

from typing import Any

import msgspec

from providers import events


class Thinking(msgspec.Struct):
    thinking_tokens: int | None = None


class Usage(msgspec.Struct):
    """What was billed so far; the vendor counts cached input beside the rest."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: Thinking | None = None

    def followed_by(self, later: "Usage") -> "Usage":
        """The counts are cumulative, and the later event repeats only some of them."""
        fields = self.__struct_fields__
        told = {name: getattr(later, name) for name in fields if getattr(later, name) is not None}
        return msgspec.structs.replace(self, **told)

    def counted(self) -> events.Usage:
        into = (self.input_tokens, self.cache_read_input_tokens, self.cache_creation_input_tokens)
        known = [count for count in into if count is not None]
        return events.Usage(
            input_tokens=sum(known) if known else None,
            cached_input_tokens=self.cache_read_input_tokens,
            output_tokens=self.output_tokens,
            reasoning_tokens=self.output_tokens_details.thinking_tokens if self.output_tokens_details else None,
        )


class Head(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: Usage | None = None


class Delta(msgspec.Struct):
    """Of a content block, or of the whole message; the type says which fields there are."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    signature: str = ""
    citation: dict[str, Any] | None = None
    stop_reason: str | None = None
    stop_details: dict[str, Any] | None = None


class Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: dict[str, Any] | None = None
    message: Head | None = None
    usage: Usage | None = None


class Support(msgspec.Struct):
    supported: bool | None = None


class Capabilities(msgspec.Struct):
    image_input: Support | None = None
    pdf_input: Support | None = None
    server_tools: Support | None = None
    structured_outputs: Support | None = None
    thinking: Support | None = None

    def says(self, name: str) -> bool | None:
        told: Support | None = getattr(self, name)
        return told.supported if told else None


class Model(msgspec.Struct):
    id: str
    display_name: str | None = None
    created_at: str | None = None
    lifecycle: str | None = None
    retires_at: str | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: Capabilities | None = None


class Page(msgspec.Struct):
    data: list[Model]
    has_more: bool = False
    last_id: str | None = None
