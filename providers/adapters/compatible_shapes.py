"""The fields of Chat Completions chunks that are read; everything else on the wire is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None


class Tokens(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Tokens | None = None
    completion_tokens_details: Tokens | None = None

    def counted(self) -> events.Usage:
        into, out = self.prompt_tokens_details or Tokens(), self.completion_tokens_details or Tokens()
        return events.Usage(
            input_tokens=self.prompt_tokens,
            cached_input_tokens=into.cached_tokens,
            output_tokens=self.completion_tokens,
            reasoning_tokens=out.reasoning_tokens,
        )


class Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


class Model(msgspec.Struct):
    """`max_model_len` is vLLM's word, `context_length` OpenRouter's, `meta.n_ctx` llama.cpp's."""

    id: str
    created: int | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    meta: dict[str, Any] | None = None

    @property
    def context_window(self) -> int | None:
        told = (self.meta or {}).get("n_ctx") or (self.meta or {}).get("n_ctx_train")
        return self.max_model_len or self.context_length or (told if isinstance(told, int) else None)


class Models(msgspec.Struct):
    data: list[Model] | None = None


def words(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a delta; some servers send a list of pieces."""
    if isinstance(content, list):
        return "".join(piece["text"] for piece in content if isinstance(piece.get("text"), str))
    return content or ""
