"""The fields of Gemini's chunks and errors that are read; everything else on the wire is skipped unparsed."""

from typing import Any

import msgspec

from providers import events


class Content(msgspec.Struct):
    """Parts stay as they came: they are replayed to the byte."""

    parts: list[dict[str, Any]] | None = None


class Source(msgspec.Struct, rename="camel"):
    """A page on the web, or a passage of a document that was searched."""

    uri: str | None = None
    title: str | None = None
    text: str | None = None
    page_number: int | None = None


class Cited(Source):
    """A source with the bytes of the answer that come from it."""

    start_index: int | None = None
    end_index: int | None = None


class GroundingChunk(msgspec.Struct, rename="camel"):
    web: Source | None = None
    retrieved_context: Source | None = None


class Segment(msgspec.Struct, rename="camel"):
    """Bytes of the answer."""

    start_index: int | None = None
    end_index: int | None = None


class Support(msgspec.Struct, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[Support] | None = None


class Citations(msgspec.Struct, rename="camel"):
    """The developer API says `citationSources`, newer versions `citations`."""

    citation_sources: list[Cited] | None = None
    citations: list[Cited] | None = None


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
