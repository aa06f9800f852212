"""The fields of Chat Completions chunks that are read, whoever sends them; everything else is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(msgspec.Struct):
    """Mistral says the word "null" for the id in fragments that go on with a call."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    """`content` is plain words, or a list of chunks where anything but words may be among them."""

    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Call] | None = None
    annotations: list[dict[str, Any]] | None = None


class Choice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None


class Tokens(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    """`num_cached_tokens` is what Mistral's own servers say."""

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
    error: Any = None
