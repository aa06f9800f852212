"""Rendering while a text grows gives what rendering it at once gives, however it was cut."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.render.blocks import Blocks
from chat.render.markdown import render

PIECES = [
    "a b\n", "\n", "\n\n", "# h\n", "### h\n", "- x\n", "  - y\n", "1. n\n", "> q\n", "```py\n", "```\n", "~~~\n",
    "    code\n", "$$\n", "$$x$$\n", "\\[\n", "\\]\n", "\\[ x \\]\n", "| a | b |\n", "|---|---|\n", "---\n", "===\n",
    "***", "`c`", "**b**", " ", "$x$", "\t", "- ", "[l](https://e.test)\n", "text", "\\", "<b>", "- $$\n", "> ```\n",
    "> $$\n", "```` x\n", "````\n", "* * *\n", "\r\n",
]  # fmt: skip


def in_pieces(text: str, random: Random) -> list[str]:
    cuts = []
    while text:
        size = random.randint(1, 9)
        cuts.append(text[:size])
        text = text[size:]
    return cuts


def grown(pieces: list[str]) -> tuple[str, str, str]:
    """The HTML after `finish`, and the state before it."""
    blocks = Blocks()
    shown = "".join(blocks.feed(piece) for piece in pieces)
    assert shown == blocks.committed
    tail = blocks.tail
    return shown + blocks.finish(), shown, tail


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.randoms(use_true_random=False))
def test_committed_blocks_are_the_whole_rendering_however_the_text_was_cut(parts: list[str], random: Random) -> None:
    text = "".join(parts)
    by_chance, by_character, at_once = grown(in_pieces(text, random)), grown(list(text)), grown([text])
    assert by_chance == by_character == at_once
    assert at_once[0] == render(text)


def test_a_closed_fence_is_finished_at_once() -> None:
    blocks = Blocks()
    assert blocks.feed("```\ncode\n") == ""
    assert "<figure" in blocks.feed("```\n")
    assert blocks.tail == ""


def test_a_paragraph_is_open_until_another_block_begins() -> None:
    blocks = Blocks()
    assert blocks.feed("one\n\n") == ""
    assert blocks.feed("two\n") == "<p>one</p>\n"
    assert blocks.tail == "two\n"


def test_a_link_defined_after_its_use_asks_for_the_whole_rendering() -> None:
    blocks = Blocks()
    blocks.feed("[a][r]\n\nb\n\n[r]: https://e.test\n")
    blocks.finish()
    whole = blocks.whole()
    assert whole is not None
    assert 'href="https://e.test"' in whole


def test_a_long_open_fence_costs_no_parse_at_every_line() -> None:
    blocks = Blocks()
    blocks.feed("```\n")
    assert "".join(blocks.feed(f"line {number}\n") for number in range(20_000)) == ""
    assert "line 19999" in blocks.finish()
