"""The fields of Gemini's chunks and errors that are read; everything else on the wire is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Content(msgspec.Struct):
    """Parts stay as they came: they are replayed to the byte."""

    parts: list[dict[str, Any]] | None = None


class Web(msgspec.Struct):
    uri: str | None = None
    title: str | None = None


class GroundingChunk(msgspec.Struct):
    web: Web | None = None


class Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None


class Citation(msgspec.Struct, rename="camel"):
    uri: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Citations(msgspec.Struct, rename="camel"):
    """The developer API says `citationSources`, newer versions `citations`."""

    citation_sources: list[Citation] | None = None
    citations: list[Citation] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None
    grounding_metadata: Grounding | None = None
    citation_metadata: Citations | None = None


class Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None

    def counted(self) -> events.Usage:
        """Inclusive: the vendor counts thoughts and tool prompts beside the rest."""
        return events.Usage(
            input_tokens=_sum(self.prompt_token_count, self.tool_use_prompt_token_count),
            cached_input_tokens=self.cached_content_token_count,
            output_tokens=_sum(self.candidates_token_count, self.thoughts_token_count),
            reasoning_tokens=self.thoughts_token_count,
        )


class Chunk(msgspec.Struct, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: Usage | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: dict[str, Any] | None = None


class Detail(msgspec.Struct, rename="camel"):
    """One of google.rpc's error details; which fields are there depends on its type."""

    reason: str | None = None
    retry_delay: str | None = None
    violations: list[dict[str, Any]] | None = None


class Error(msgspec.Struct):
    code: int | None = None
    status: str | None = None
    message: str | None = None
    details: list[Detail] | None = None


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
