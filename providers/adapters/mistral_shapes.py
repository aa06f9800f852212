"""The fields of Mistral's chunks and model cards that are read; everything else on the wire is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(msgspec.Struct):
    """`id` is the word "null" in fragments that go on with a call."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    """`content` is plain words, or a list of chunks as soon as anything but words is among them."""

    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None


class Tokens(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    """The details are not documented, but sent; there is no word yet for reasoning tokens but the one others use."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    num_cached_tokens: int | None = None
    prompt_tokens_details: Tokens | None = None
    completion_tokens_details: Tokens | None = None

    def counted(self) -> events.Usage:
        into, out = self.prompt_tokens_details or Tokens(), self.completion_tokens_details or Tokens()
        return events.Usage(
            input_tokens=self.prompt_tokens,
            cached_input_tokens=self.num_cached_tokens if into.cached_tokens is None else into.cached_tokens,
            output_tokens=self.completion_tokens,
            reasoning_tokens=out.reasoning_tokens,
        )


class Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None


class Capabilities(msgspec.Struct):
    completion_chat: bool | None = None
    function_calling: bool | None = None
    reasoning: bool | None = None
    vision: bool | None = None


class Model(msgspec.Struct):
    """One row. `name` is the model that `id`, itself or one of its aliases, stands for; `created` is not read: it is
    when the list was made, not the model."""

    id: str
    type: str | None = None
    name: str | None = None
    archived: bool = False
    aliases: list[str] | None = None
    max_context_length: int | None = None
    deprecation: str | None = None
    capabilities: Capabilities | None = None


class Models(msgspec.Struct):
    data: list[Model]
