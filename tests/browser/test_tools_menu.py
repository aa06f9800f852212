"""The menu of a conversation's tools in a real browser: with script and without, in both themes and sizes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

type Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect(AUTO_TITLES="0")


def opened(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Tools")).click()
    expect(page.get_by_role("checkbox", name=re.compile("Date and time"))).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_menu_fits_and_is_accessible(arrive: Visit, width: int, scheme: str) -> None:
    me = arrive(width=width, height=844, color_scheme=scheme)
    opened(me.page)
    me.assert_accessible()
    assert me.page.evaluate("document.documentElement.scrollWidth") <= width
    menu = me.page.locator("#tools-menu").bounding_box()
    assert menu is not None
    assert menu["x"] >= 0
    assert menu["y"] >= 0
    assert menu["x"] + menu["width"] <= width
    me.page.keyboard.press("Escape")
    expect(me.page.locator("#tools-menu")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_choice_goes_with_the_message_and_stays(arrive: Visit, script: bool) -> None:
    page = arrive(java_script_enabled=script).page
    opened(page)
    page.get_by_role("checkbox", name=re.compile("Read my files")).uncheck()
    if script:
        expect(page.locator("[data-tools-count]")).to_have_text("2")
        page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    page.reload()
    expect(page.locator("[data-tools-count]")).to_have_text("2")
    opened(page)
    expect(page.get_by_role("checkbox", name=re.compile("Read my files"))).not_to_be_checked()
    expect(page.get_by_role("checkbox", name=re.compile("Date and time"))).to_be_checked()
