"""The status page in a real browser: readable for everybody, and marks that turn without a reload."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 20_000


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect()


@pytest.fixture
def outage(vendor: Sandbox) -> Iterator[Callable[[], None]]:
    """`outage()`: from now on the sandbox's Gemini answers no check."""

    def begin() -> None:
        order = {"provider": "gemini", "fault": "server_error", "on": "models", "count": 0}
        httpx2.post(f"{vendor.url}/_sandbox/faults", json=order).raise_for_status()

    yield begin
    httpx2.delete(f"{vendor.url}/_sandbox/faults").raise_for_status()


def check_all(page: Page) -> None:
    """The words of an earlier check are still there when the button is pressed: the page that follows is waited for."""
    with page.expect_navigation(timeout=PATIENCE):
        page.get_by_role("button", name="Check all now").click()
    expect(page.locator(".notice")).to_be_visible(timeout=PATIENCE)


def gemini(page: Page) -> Locator:
    return page.locator(".main [data-provider-health=gemini]").first


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_it_can_be_read_by_everybody(arrive: Visit, scheme: str, width: int, height: int) -> None:
    visitor = arrive("/status/", width=width, height=height, color_scheme=scheme)
    check_all(visitor.page)
    visitor.assert_accessible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.page.get_by_text("Read as a table").click()
    expect(visitor.page.get_by_role("table").first).to_be_visible()
    visitor.assert_accessible()


def test_an_outage_turns_the_marks_of_open_pages_and_its_end_turns_them_back(
    arrive: Visit, outage: Callable[[], None], vendor: Sandbox
) -> None:
    me = arrive("/status/")
    check_all(me.page)
    expect(gemini(me.page)).to_have_attribute("data-s", "ok")
    status, settings, chat = me.tab(), me.tab(), me.tab()
    status.goto(f"{me.url}/status/")
    settings.goto(f"{me.url}/settings/providers/")
    chat.goto(f"{me.url}/")
    for page in (status, settings, chat):
        page.evaluate("window.unmoved = true")

    outage()
    check_all(me.page)
    expect(status.get_by_role("heading", level=1)).to_contain_text("is degraded", timeout=PATIENCE)
    for page in (status, settings, chat):
        expect(gemini(page)).to_have_attribute("data-s", "degraded", timeout=PATIENCE)
        expect(page.locator(".side__link [data-provider-health]")).to_have_text("1 degraded", timeout=PATIENCE)
        assert page.evaluate("window.unmoved") is True
    me.assert_accessible()

    httpx2.delete(f"{vendor.url}/_sandbox/faults").raise_for_status()
    check_all(me.page)
    expect(gemini(status)).to_have_attribute("data-s", "ok", timeout=PATIENCE)
    expect(gemini(status)).to_have_text("Sandbox")
    assert status.evaluate("window.unmoved") is True


def test_a_credential_that_changes_is_told_beside_what_somebody_is_typing(arrive: Visit) -> None:
    me = arrive("/settings/providers/")
    other = me.tab()
    other.goto(f"{me.url}/settings/providers/")
    half = me.page.locator("#w-mistral-key")
    half.fill("half typed")
    other.locator("#w-mistral-key").fill("sandbox-mistral-key-4f2a")
    other.locator("#w-mistral").get_by_role("button", name="Check and save").click()
    expect(me.page.locator("#w-mistral-facts")).to_contain_text("…4f2a", timeout=PATIENCE)
    expect(half).to_have_value("half typed")
    me.assert_accessible()


def test_what_was_known_is_there_right_after_a_restart(
    arrive: Visit, outage: Callable[[], None], server: Server
) -> None:
    me = arrive("/status/")
    check_all(me.page)
    outage()
    check_all(me.page)
    me.page.close()
    server.stop()
    server.start()
    page = me.tab()
    page.goto(f"{me.url}/status/")
    expect(gemini(page)).to_have_attribute("data-s", "degraded")
    expect(page.locator(".log-list li").first).to_contain_text("Google Gemini is degraded")
