"""What a model wrote becomes HTML that cannot do anything, whole and at every point of its way."""

import pytest

from chat.render.blocks import Blocks
from chat.render.markdown import render
from tests.chat.doors.hostile import CORPUS, dangers


def test_the_inspector_finds_what_it_should() -> None:
    assert dangers("<img src=x onerror=alert(1)>") == ["<img>", "img src=x", "img onerror=alert(1)"]
    assert dangers("<a href='javascript:x'>") == ["a href=javascript:x"]


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_text_is_harmless_at_every_prefix(text: str) -> None:
    for end in range(1, len(text) + 1):
        assert dangers(render(text[:end])) == []


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_text_is_harmless_as_it_streams(text: str) -> None:
    blocks = Blocks()
    shown = "".join(blocks.feed(character) for character in f"Before.\n\n{text}\n\nAfter.\n") + blocks.finish()
    assert dangers(shown) == []


def test_raw_html_is_text() -> None:
    assert render("a <b>c</b>") == "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"


def test_an_image_is_a_link_that_nobody_follows_by_itself() -> None:
    shown = render("![chart](https://evil.test/?q=secret)")
    assert shown == '<p><a href="https://evil.test/?q=secret" rel="noopener noreferrer nofollow">chart</a></p>\n'


def test_a_link_of_another_kind_stays_text() -> None:
    assert "<a" not in render("[x](javascript:alert(1)) [y](/admin/) [z](//evil.test)")


def test_headings_start_below_the_pages_own_and_leave_no_level_out() -> None:
    assert render("## a\n\n#### b\n\n## c\n\n# d\n") == "<h3>a</h3>\n<h4>b</h4>\n<h3>c</h3>\n<h3>d</h3>\n"


def test_code_is_highlighted_with_classes_and_can_be_reached_by_keyboard() -> None:
    shown = render("```python\nreturn 1\n```\n")
    assert '<figure class="code"><figcaption>python<button' in shown
    assert '<pre tabindex="0"><code><span class="t-k">return</span>' in shown
    assert "style=" not in shown


def test_a_table_scrolls_by_itself_and_says_alignment_with_a_class() -> None:
    shown = render("| a | b |\n|:-:|--:|\n| 1 | 2 |\n")
    assert shown.startswith('<div class="table-wrap" role="group" aria-label="Table" tabindex="0">')
    assert '<th class="al-c">a</th>' in shown


@pytest.mark.parametrize("written", ["$x^2$", "\\(x^2\\)"])
def test_a_formula_becomes_mathml(written: str) -> None:
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in render(f"so {written} is")


@pytest.mark.parametrize("written", ["$$\nx\n$$\n", "\\[\nx\n\\]\n"])
def test_a_displayed_formula_is_a_block(written: str) -> None:
    assert '<math display="block">' in render(written)


@pytest.mark.parametrize("source", ["\\frac{", "\\begin{nonsense}", "\\text", "a_b_c", "\\left("])
def test_a_formula_that_cannot_be_drawn_stays_source(source: str) -> None:
    assert f"<code>{source}</code>" in render(f"${source}$")


def test_money_is_not_maths() -> None:
    assert "<math" not in render("It costs $5 today and $6 tomorrow.")


def test_a_huge_code_block_stays_plain() -> None:
    assert "<span" not in render("```python\n" + "x = 1\n" * 12_000 + "```\n")
