"""The conversation page in a real browser: ask, watch, reload, stop, switch, follow from a second tab."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 30_000


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect()


@pytest.fixture
def me(arrive: Visit) -> Visitor:
    return arrive()


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def ask(page: Page, words: str) -> None:
    box(page).fill(words)
    page.keyboard.press("Enter")


def ask_first(page: Page, words: str) -> None:
    ask(page, words)
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))


def answer(page: Page) -> Locator:
    return page.locator(".turn").last


def ended(page: Page) -> Locator:
    """The last answer, once it is complete."""
    expect(page.locator(".turn:last-child:not([aria-busy]):not(.turn--you)")).to_have_count(1, timeout=PATIENCE)
    return answer(page)


def numbers(turn: Locator) -> list[int]:
    return [int(word) for word in turn.locator(".prose").first.inner_text().split()]


def grows(page: Page, beyond: int) -> None:
    """The answer being written has more than so many characters."""
    expect(answer(page).locator(".prose").first).to_have_text(re.compile(rf"[\s\S]{{{beyond},}}"), timeout=PATIENCE)


def test_an_answer_streams_and_ends_with_its_provenance(me: Visitor) -> None:
    page = me.page
    me.assert_accessible()
    ask_first(page, "/slow 40 Show code, a list and a table")
    grows(page, 40)
    me.assert_accessible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    done = ended(page)
    expect(done.locator(".by")).to_contain_text("sandbox")
    expect(done.locator(".by")).to_contain_text("tokens")
    expect(done.locator("figure.code .t-k").first).to_be_visible()
    expect(done.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(page.locator("[data-status]")).to_have_text(re.compile("Answer complete, \\d+ words"))
    me.assert_accessible()
    drawn = done.locator(".prose").inner_html()
    page.reload()
    assert answer(page).locator(".prose").inner_html() == drawn


def test_a_reload_in_mid_stream_loses_and_doubles_nothing(me: Visitor) -> None:
    page = me.page
    ask_first(page, "/slow 60 /tokens 300")
    for _ in range(3):
        grows(page, 60)
        page.reload()
    assert numbers(ended(page)) == list(range(1, 301))


def test_a_second_tab_follows_the_answer_and_the_next_question(me: Visitor) -> None:
    page = me.page
    ask_first(page, "/slow 60 /tokens 150")
    other = me.tab()
    other.goto(page.url)
    assert numbers(ended(other)) == list(range(1, 151))
    ended(page)
    ask(page, "/tokens 20")
    expect(other.locator(".turn--you").last).to_contain_text("/tokens 20", timeout=PATIENCE)
    assert numbers(ended(other)) == list(range(1, 21))
    assert page.locator(".turn").count() == other.locator(".turn").count() == 4


@pytest.mark.parametrize("way", ["key", "button"])
def test_stop_keeps_what_came_and_offers_to_go_on(me: Visitor, way: str) -> None:
    page = me.page
    ask_first(page, "/slow 20 /tokens 2000")
    grows(page, 20)
    if way == "key":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Stop").click()
    done = ended(page)
    expect(done).to_contain_text("You stopped this answer.")
    kept = numbers(done)
    assert kept == list(range(1, len(kept) + 1))
    me.assert_accessible()
    done.get_by_role("button", name="Continue the answer").click()
    expect(page.locator(".turn")).to_have_count(3)
    ended(page)


def test_another_model_goes_on_with_the_conversation(me: Visitor) -> None:
    page = me.page
    ask_first(page, "Hello from the first model")
    expect(ended(page).locator(".by")).to_contain_text("gpt-sandbox")
    page.keyboard.press("Control+k")
    me.assert_accessible()
    page.keyboard.type("gemini flash")
    page.keyboard.press("Enter")
    expect(page.locator("[data-open-picker]")).to_contain_text("Gemini")
    expect(box(page)).to_be_focused()
    ask(page, "And now you")
    done = ended(page)
    expect(done.locator(".by")).to_contain_text("Gemini")
    expect(done.locator(".prose")).to_contain_text("I have seen 3 messages here")
    expect(page.locator(".turn").nth(1).locator(".by")).to_contain_text("gpt-sandbox")
    page.reload()
    expect(page.locator("[data-open-picker]")).to_contain_text("Gemini")


def test_another_model_gives_a_second_version_of_an_answer(me: Visitor) -> None:
    page = me.page
    ask_first(page, "Compare yourselves")
    ended(page).get_by_role("button", name="Ask another model").click()
    page.keyboard.type("gemini")
    page.keyboard.press("Enter")
    expect(ended(page).locator(".by")).to_contain_text("Gemini", timeout=PATIENCE)
    expect(answer(page)).to_contain_text("2 / 2")
    page.get_by_role("link", name="Earlier version").click()
    expect(answer(page).locator(".by")).to_contain_text("gpt-sandbox")


def test_a_message_written_during_an_answer_is_sent_when_it_ends(me: Visitor) -> None:
    page = me.page
    ask_first(page, "/slow 60 /tokens 120")
    ask(page, "/tokens 5")
    expect(page.locator("[data-queued]")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(4, timeout=PATIENCE)
    assert numbers(ended(page)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("fault", "title", "button"),
    [
        ("bad_key", "OpenAI refused this key", "Replace the key"),
        ("rate_limit", "OpenAI is limiting requests", "Try again"),
        ("overloaded", "OpenAI is not responding", "Try again"),
        ("cut after 20", "The answer was cut off", "Continue the answer"),
    ],
)
def test_a_failure_is_a_card_with_its_remedy(me: Visitor, fault: str, title: str, button: str) -> None:
    page = me.page
    ask_first(page, f"/fault {fault}")
    card = ended(page).get_by_role("alert")
    # What may get better by itself is tried three times, which takes its time.
    expect(card.get_by_role("heading")).to_have_text(title, timeout=30_000)
    expect(card.locator(".btn").first).to_contain_text(button)
    me.assert_accessible()


def test_a_draft_survives_a_reload(me: Visitor) -> None:
    page = me.page
    box(page).fill("Half a thou")
    page.reload()
    expect(box(page)).to_have_value("Half a thou")
    box(page).fill("")


def test_a_lost_connection_is_said_and_mended(me: Visitor) -> None:
    page = me.page
    lines: list[WebSocketRoute] = []

    def carry(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/ws/stream/", carry)
    ask_first(page, "/slow 30 /tokens 200")
    grows(page, 20)
    lines[-1].close(code=4000)
    expect(page.locator("[data-line]")).to_contain_text("Connection lost. The answer goes on, reconnecting.")
    expect(page.locator("[data-line]")).to_contain_text("Reconnected", timeout=PATIENCE)
    assert numbers(ended(page)) == list(range(1, 201))
    assert len(lines) > 1


def test_sending_and_reading_work_without_script(arrive: Visit) -> None:
    me = arrive(java_script_enabled=False)
    page = me.page
    box(page).fill("/tokens 30")
    page.get_by_label("Model", exact=True).select_option("gemini/gemini-sandbox-flash")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile("/c/"))
    for _ in range(50):
        page.goto(page.url.split("#")[0])
        if page.locator("[aria-busy]").count() == 0:
            break
        page.wait_for_timeout(200)
    assert numbers(answer(page)) == list(range(1, 31))
    expect(answer(page).locator(".by")).to_contain_text("Gemini")


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_fits_its_window_in_both_themes(arrive: Visit, width: int, scheme: str) -> None:
    me = arrive(width=width, height=844, color_scheme=scheme)
    page = me.page
    me.assert_accessible()
    page.locator("[data-open-picker]").click()
    me.assert_accessible()
    page.keyboard.press("Escape")
    ask_first(page, "Show maths, code, a list and a table")
    ended(page)
    me.assert_accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 500:
        page.get_by_role("button", name="Open conversations").click()
        expect(page.get_by_role("link", name="New chat")).to_be_visible()
        me.assert_accessible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="New chat")).to_be_hidden()
    me.go("/search/?q=maths")
    expect(page.get_by_role("listitem").first).to_be_visible()
    me.assert_accessible()
