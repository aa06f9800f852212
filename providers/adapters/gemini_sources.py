"""The sources that Gemini names for an answer, as citations; the vendor counts bytes, we count characters."""

from collections.abc import Iterator

from providers.adapters import gemini_shapes as shapes
from providers.citations import citation
from providers.events import Citation

_WHOLE = shapes.Segment()


def sources(candidate: shapes.Candidate, text: str) -> Iterator[Citation]:
    """All that a chunk says of them; `text` is the part of the answer that they stand behind, as far as it is known."""
    grounding = candidate.grounding_metadata or shapes.Grounding()
    for number, ground in enumerate(grounding.grounding_chunks or ()):
        found = ground.web or ground.retrieved_context or shapes.Source()
        supports = grounding.grounding_supports or ()
        behind = [one.segment for one in supports if number in (one.grounding_chunk_indices or ()) and one.segment]
        for segment in behind or [_WHOLE]:
            yield _citation(found, segment.start_index, segment.end_index, text)
    told = candidate.citation_metadata or shapes.Citations()
    for one in told.citation_sources or told.citations or ():
        yield _citation(one, one.start_index, one.end_index, text)


def _citation(source: shapes.Source, start: int | None, end: int | None, text: str) -> Citation:
    # An index of 0 is left out on this wire.
    where = {"start": _characters(text, start or 0), "end": _characters(text, end)} if end else {}
    page = source.page_number
    return citation(title=source.title, url=source.uri, cited_text=source.text, page=page, last_page=page, **where)


def _characters(text: str, bytes_before: int | None) -> int | None:
    if bytes_before is None:
        return None
    whole = text.encode("utf-8", "replace")
    return len(whole[:bytes_before].decode("utf-8", "ignore")) if bytes_before <= len(whole) else None
