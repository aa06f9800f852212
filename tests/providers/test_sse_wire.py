"""The splitter: the same events from any chunks and any line ends, and no line without a bound."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sse_wire import LineTooLong, Splitter


def split(*chunks: bytes, limit: int = 1000) -> tuple[list[bytes], bytes]:
    splitter = Splitter(limit)
    found = [data for chunk in chunks for data in splitter.feed(chunk)]
    return [*found, *splitter.end()], splitter.stray


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_all_three_line_ends_work(end: bytes) -> None:
    assert split(b"event: x" + end + b"data: one" + end * 2 + b"data:two" + end * 2) == ([b"one", b"two"], b"")


def test_many_data_lines_are_one_event() -> None:
    assert split(b"data: {\ndata: }\n\n") == ([b"{\n}"], b"")


def test_comments_and_other_fields_say_nothing() -> None:
    assert split(b": ping\n\nid: 7\nretry: 10\nevent: done\ndata: x\n\n") == ([b"x"], b"")


def test_a_line_separator_within_json_is_no_line_end() -> None:
    text = 'data: {"a":"\u2028\u0085"}'.encode()
    assert split(text + b"\n\n") == ([text[6:]], b"")


def test_what_belongs_to_no_field_is_kept_aside() -> None:
    assert split(b'data: x\n\n{\n  "error": 1\n}\n') == ([b"x"], b'{\n  "error": 1\n}\n')


def test_what_is_kept_aside_is_bounded() -> None:
    assert len(split(*[b"x" * 900 + b"\n"] * 200)[1]) == 64 * 1024


def test_a_last_event_without_its_blank_line_is_given_at_the_end() -> None:
    assert split(b"data: one\n\ndata: two") == ([b"one", b"two"], b"")


@pytest.mark.parametrize(
    "chunks",
    [[b"data: " + b"x" * 2000], [b"data: ", *[b"x" * 100] * 20], [b"data: xxxxxxxxx\n"] * 200],
    ids=["at once", "in pieces", "in lines"],
)
def test_an_event_without_end_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(LineTooLong):
        split(*chunks)


@given(
    texts=st.lists(st.text().filter(lambda text: text and not set(text) & set("\r\n\0")), max_size=8),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(min_value=0, max_value=400), max_size=20),
)
def test_chunks_do_not_matter(texts: list[str], ends: str, cuts: list[int]) -> None:
    try:
        wire = "".join(f"data: {text}{ends}{ends}" for text in texts).encode()
    except UnicodeEncodeError:
        return
    places = sorted({0, *(cut for cut in cuts if cut < len(wire)), len(wire)})
    chunks = [wire[start:stop] for start, stop in pairwise(places)]
    assert split(*chunks, limit=10_000)[0] == [text.encode() for text in texts]
