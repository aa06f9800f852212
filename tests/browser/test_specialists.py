"""Specialists inside an answer, a conversation's summary and its window, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 45_000
SETUP = """
from accounts.models import Workspace
from catalog.models import ContextDefault, LanguageModel
from chat import specialists
from chat.models import Specialist
specialists.add_examples(Workspace.objects.get().pk)
for slug, model in (("researcher", "gemini-sandbox-flash"), ("writer", "claude-sandbox-haiku")):
    Specialist.objects.filter(slug=slug).update(model=LanguageModel.objects.get(model_id=model))
LanguageModel.objects.filter(model_id="gpt-sandbox").update(context_window=1800)
mini = LanguageModel.objects.get(model_id="gpt-sandbox-mini")
ContextDefault.objects.filter(context="summary").update(model=mini)
"""


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect()


@pytest.fixture(scope="module")
def session(session: StorageState, server: Server) -> StorageState:
    """Whose workspace has the example specialists."""
    server.manage("shell", "--command", SETUP)
    return session


def ask(page: Page, words: str) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(words)
    page.keyboard.press("Enter")


def ended(page: Page) -> None:
    expect(page.locator(".turn:last-child:not([aria-busy]):not(.turn--you)")).to_have_count(1, timeout=PATIENCE)


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_specialists_write_inside_the_answer_and_stay_there(arrive: Visit, width: int, scheme: str) -> None:
    me = arrive(width=width, color_scheme=scheme)
    page = me.page
    page.get_by_role("radio", name="With specialists").check()
    ask(page, "Ask the specialists what a lease is")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    tasks = page.locator(".turn .task")
    for number in range(3):
        expect(tasks.nth(number)).to_contain_text("This is the sandbox", timeout=PATIENCE)
    expect(page.get_by_text("is working")).not_to_have_count(0)
    page.reload()
    expect(page.locator(".turn .task answer-stream").first).to_contain_text("This is the sandbox")
    expect(page.locator("[data-stop-answer]")).to_be_visible()
    ended(page)
    expect(page.locator(".turn summary").filter(has_text="answered")).to_have_count(3)
    expect(page.locator(".turn").last).to_contain_text("Here is what I found, with 3 tool results")
    expect(page.locator(".turn > answer-stream > .route > .stop > .stack > .by").first).to_contain_text(
        "with specialists"
    )
    me.assert_accessible()
    page.reload()
    writer = page.locator(".turn details").filter(has_text="Claude Sandbox Haiku")
    expect(writer).not_to_have_attribute("open", "")
    writer.locator("> summary").click()
    expect(writer.locator(".task")).to_contain_text("This is the sandbox")
    expect(page.locator("answer-stream")).to_have_count(0)
    assert not overflows(page)
    me.assert_accessible()


def test_stopping_shows_that_all_have_stopped(arrive: Visit) -> None:
    page = arrive().page
    page.get_by_role("radio", name="With specialists").check()
    ask(page, "Ask the specialists what a lease is")
    expect(page.locator(".turn .task").nth(2)).to_contain_text("This is the sandbox", timeout=PATIENCE)
    page.keyboard.press("Escape")
    ended(page)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").last).to_contain_text("You stopped this answer.")
    expect(page.get_by_text("You stopped this.", exact=True).first).to_be_attached()


def test_a_summary_streams_into_its_panel(arrive: Visit) -> None:
    me = arrive(width=390)
    page = me.page
    ask(page, "What is a lease? /tokens 20")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    ended(page)
    page.reload()
    page.get_by_role("button", name="Conversation menu").click()
    page.get_by_role("button", name="Summarise this conversation").click()
    panel = page.locator("#summary")
    expect(panel.get_by_role("button", name="Summarise again")).to_be_visible(timeout=PATIENCE)
    expect(panel).to_contain_text("which read 2 turns")
    expect(page.locator("[data-send]")).to_be_visible()
    me.assert_accessible()
    assert not overflows(page)


def test_a_full_window_is_shown_and_older_messages_are_summarised(arrive: Visit) -> None:
    me = arrive()
    page = me.page
    page.get_by_role("radio", name="Directly").check()
    ask(page, "/tokens 20 First " + "abc " * 520)
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    ended(page)
    page.reload()
    ask(page, "/tokens 20 Second " + "abc " * 520)
    ended(page)
    expect(page.locator("[data-ctx]")).to_have_class(re.compile("ctx--near"), timeout=PATIENCE)
    ask(page, "/tokens 20 Third " + "abc " * 200)
    expect(page.locator(".turn")).to_have_count(6)
    ended(page)
    stop = page.locator(".turn").last.locator("details.step")
    expect(stop).to_contain_text("Older messages were summarised to fit")
    expect(page.locator("[data-ctx]")).to_have_class(re.compile("ctx--ok"), timeout=PATIENCE)
    me.assert_accessible()
    stop.locator("summary").click()
    expect(stop).to_contain_text("In short")
    stop.get_by_role("button", name="Send everything instead").click()
    expect(page.locator(".turn:last-child .branch")).to_contain_text("2 / 2")
    ended(page)
    expect(page.get_by_text("Older messages were summarised to fit")).to_have_count(0)
