"""What vendors say of their sources, brought into one shape."""

from typing import Any

import pytest

from providers.adapters import anthropic_blocks, gemini_shapes, gemini_sources
from providers.citations import citation


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            {
                "type": "page_location",
                "cited_text": "Sun.",
                "document_index": 1,
                "document_title": "a.pdf",
                "start_page_number": 2,
                "end_page_number": 4,
            },
            {"title": "a.pdf", "cited_text": "Sun.", "document_index": 1, "page": 2, "last_page": 3},
        ),
        (
            {
                "type": "char_location",
                "cited_text": "Sun.",
                "document_index": 0,
                "document_title": None,
                "start_char_index": 0,
                "end_char_index": 4,
            },
            {"cited_text": "Sun.", "document_index": 0, "source_start": 0, "source_end": 4},
        ),
        (
            {"type": "search_result_location", "source": "https://a.example/", "title": "A", "cited_text": "Sun."},
            {"title": "A", "url": "https://a.example/", "cited_text": "Sun."},
        ),
        (
            {"type": "search_result_location", "source": "shelf 7", "title": "A", "cited_text": "Sun."},
            {"title": "A", "cited_text": "Sun."},
        ),
    ],
    ids=["pages", "characters", "search result", "no web address"],
)
def test_a_place_in_a_document_is_told_in_pages_or_characters(told: dict[str, Any], shown: dict[str, Any]) -> None:
    assert anthropic_blocks.source(told) == shown


def test_gemini_counts_bytes_and_we_count_characters() -> None:
    support = gemini_shapes.Support(gemini_shapes.Segment(6, 13), [0])
    grounding = gemini_shapes.Grounding([gemini_shapes.GroundingChunk(gemini_shapes.Source("https://a.example/", "A"))])
    grounding.grounding_supports = [support, gemini_shapes.Support(gemini_shapes.Segment(None, 99), [0])]
    found = gemini_sources.sources(gemini_shapes.Candidate(grounding_metadata=grounding), "naïve 東京")
    assert list(found) == [
        {"title": "A", "url": "https://a.example/", "start": 5, "end": 8},
        {"title": "A", "url": "https://a.example/", "start": 0},
    ]


def test_only_what_fits_the_shape_is_kept() -> None:
    assert citation(title=7, url="javascript:alert(1)", page=True, start=-1, end="4", cited_text="") == {}
    assert citation(cited_text="x" * 5000) == {"cited_text": "x" * 2000}
