"""The console in a real browser: readable for everybody, live, and a drill that is watched and stopped."""

import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests.browser.server import Server
from tests.browser.visitor import NO_AUTOFILL, Visitor
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 30_000
HEALTH = "/admin/providers/providerhealth/"
DRILL = "/admin/providers/drill/add/"


@pytest.fixture(scope="module")
def server(serve: Callable[..., Server], vendor: Sandbox) -> Server:
    return serve(PARLEY_SANDBOX_URL=vendor.url)


@pytest.fixture(scope="module")
def session(chromium: Browser, server: Server) -> StorageState:
    """An owner who has just used a passkey."""
    context = chromium.new_context()
    context.add_init_script(NO_AUTOFILL)
    me = Visitor(context.new_page(), context, server.url)
    me.device()
    me.go(server.sign_in_link("wim@example.com", role="owner"))
    me.go("/admin/")
    me.page.get_by_role("button", name="Add a passkey").click()
    me.page.get_by_role("button", name="I have saved them").click()
    me.page.wait_for_url(f"{me.url}/admin/")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def arrive(visit: Visit, session: StorageState) -> Visit:
    def come(**options: object) -> Visitor:
        return visit(storage_state=session, **options)

    return come


def mark(page: Page) -> Locator:
    return page.locator("[data-provider-health=gemini]")


def check_gemini(page: Page) -> None:
    page.get_by_role("button", name="Check Google Gemini of Installation now").click()
    expect(page.locator(".messagelist li")).to_contain_text("Google Gemini", timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_its_pages_can_be_read_by_everybody(arrive: Visit, scheme: str, width: int, height: int) -> None:
    me = arrive(width=width, height=height, color_scheme=scheme)
    for path in ("/admin/", HEALTH, DRILL, "/admin/chat/run/"):
        me.go(path)
        me.assert_accessible()
        assert me.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_change_of_health_reaches_open_console_pages_and_outlives_a_restart(
    arrive: Visit, vendor: Sandbox, server: Server
) -> None:
    me = arrive()
    me.go(HEALTH)
    check_gemini(me.page)
    expect(mark(me.page)).to_have_attribute("data-s", "ok")
    overview, health = me.tab(), me.tab()
    overview.goto(f"{me.url}/admin/")
    health.goto(me.url + HEALTH)
    for page in (overview, health):
        page.evaluate("window.unmoved = true")
    order = {"provider": "gemini", "fault": "server_error", "on": "models", "count": 0}
    httpx2.post(f"{vendor.url}/_sandbox/faults", json=order).raise_for_status()
    check_gemini(me.page)
    for page in (overview, health):
        expect(mark(page)).to_have_attribute("data-s", "degraded", timeout=PATIENCE)
        assert page.evaluate("window.unmoved") is True
    expect(health.locator(".log-list li").first).to_contain_text("Google Gemini is degraded", timeout=PATIENCE)
    for page in (overview, health, me.page):
        page.close()
    server.stop()
    server.start()
    page = me.tab()
    page.goto(me.url + HEALTH)
    expect(mark(page)).to_have_attribute("data-s", "degraded")
    expect(page.locator(".log-list li").first).to_contain_text("Google Gemini is degraded")


def test_a_drill_is_started_watched_and_stopped(arrive: Visit) -> None:
    me = arrive()
    page = me.go(DRILL)
    page.get_by_label("Provider").select_option("mistral")
    page.get_by_label("What happens").select_option("cut_streams")
    page.get_by_role("button", name="Start the drill").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cut in mid-stream: Mistral")
    expect(page.locator("[data-live-part]")).to_contain_text("Loading the adapters", timeout=PATIENCE)
    # What is read aloud is the step of the moment, and the first one may last less than a second.
    said = re.compile("Loading the adapters|Measuring the other providers while")
    expect(page.locator("[data-live-words]")).to_have_text(said, timeout=PATIENCE)
    me.assert_accessible()
    page.get_by_role("button", name="Stop the drill").click()
    expect(page.locator(".drill-head .health")).to_have_text("Stopped", timeout=2 * PATIENCE)
    expect(page.get_by_role("link", name="Run it again")).to_be_visible()
    me.assert_accessible()
