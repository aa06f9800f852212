"""Estimates and chunks: nothing is lost in cutting, everything fits, and the guess stays within its bounds."""

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st

from chat import estimates
from chat.chunks import MOST_CHUNKS, Step, TooLong, condense, cut, split
from providers.contract import MediaPart, Message, TextPart, ToolCallPart

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@given(TEXTS, st.integers(1, 40))
def test_the_parts_of_a_cut_text_are_the_text_and_each_fits(text: str, room: int) -> None:
    parts = list(cut(text, room))
    assert "".join(parts) == text
    assert all(0 < estimates.of_text(part) <= room for part in parts)


@given(st.lists(TEXTS, max_size=12), st.integers(1, 60))
def test_chunks_fit_and_keep_every_word_in_order(pieces: list[str], room: int) -> None:
    chunks = split(pieces, room)
    assert all(estimates.of_text(chunk) <= room for chunk in chunks)
    # The gaps between pieces are ours; all else is theirs.
    assert "".join(chunks).replace("\n", "") == "".join(pieces).replace("\n", "")


def test_a_text_is_cut_between_paragraphs_before_lines_and_words() -> None:
    assert list(cut("one two\n\nfourteen three", 3)) == ["one two\n\n", "fourteen ", "three"]


def asked(pieces: list[str], room: int) -> tuple[str, list[Step]]:
    steps: list[Step] = []

    async def ask(text: str, step: Step) -> str:
        steps.append(step)
        assert estimates.of_text(text) <= room
        return text[:20]

    return async_to_sync(condense)(pieces, room, ask), steps


def test_what_fits_is_asked_once() -> None:
    assert asked(["Hello", "you"], 10) == ("Hello\n\nyou", [Step(1, 1, 0, final=True)])


def test_what_does_not_fit_is_read_in_parts_and_merged() -> None:
    _, steps = asked(["a" * 100, "b" * 100, "c" * 100], 30)
    assert steps == [
        Step(1, 3, 0, final=False),
        Step(2, 3, 0, final=False),
        Step(3, 3, 0, final=False),
        Step(1, 1, 1, final=True),
    ]


def test_too_many_chunks_are_refused_before_anybody_is_asked() -> None:
    with pytest.raises(TooLong, match="41 requests"):
        asked(["a" * 40] * (MOST_CHUNKS + 1), 10)


def test_a_guess_counts_bytes_so_that_longer_scripts_count_for_more() -> None:
    assert [estimates.of_text(text) for text in ("", "abcd", "abcde", "語語語語")] == [0, 1, 2, 3]
    message = Message("user", (TextPart(text="abcd"), MediaPart(media_type="image/png", data=b"x" * 9_000_000)))
    call = Message("assistant", (ToolCallPart(call_id="1", name="look", arguments='{"a":1}'),))
    assert estimates.of_messages([message, call]) == 4 + 1 + 1_500 + 4 + 1 + 2


def test_what_the_provider_counted_corrects_the_guess_within_bounds() -> None:
    assert estimates.factor("openai") == 1.0
    assert estimates.factor("anthropic") == 1.25
    assert estimates.factor("anthropic", guessed=1000, counted=1400) == 1.4
    assert estimates.factor("openai", guessed=1000, counted=90_000) == 3.0
    assert estimates.factor("openai", guessed=1000, counted=1) == 0.5
