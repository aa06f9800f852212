"""The structured page and a conversation's title in a real browser."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.chat.flows.conftest import IMPOSSIBLE

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
PATIENCE = 30_000
SIZES = [
    {"width": 1440, "height": 900, "color_scheme": "light"},
    {"width": 390, "height": 844, "color_scheme": "dark"},
    {"width": 390, "height": 844, "color_scheme": "light"},
    {"width": 1440, "height": 900, "color_scheme": "dark"},
]


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect(AUTO_TITLES="1")


def overflows(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']} {size['color_scheme']}")
def test_a_value_is_made_and_marked_valid(arrive: Visit, size: dict[str, Any]) -> None:
    me = arrive("/structured/", **size)
    page = me.page
    me.assert_accessible()
    page.get_by_role("button", name="An invoice").click()
    expect(page.get_by_label("Schema")).to_have_value(re.compile("currency"))
    page.get_by_role("button", name="Generate").click()
    output = page.get_by_role("region", name="Output", exact=True)
    expect(output.locator(".badge--ok")).to_have_text("Valid", timeout=PATIENCE)
    value = json.loads(output.locator("figure.code pre").inner_text())
    assert set(value) == {"number", "currency", "lines"}
    assert not overflows(me)
    me.assert_accessible()


def test_the_text_streams_and_an_invalid_one_says_why(arrive: Visit) -> None:
    me = arrive("/structured/")
    page = me.page
    page.get_by_label("Schema").fill(json.dumps(IMPOSSIBLE))
    page.get_by_label("Input").fill("/slow 4 /tokens 40")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/structured/[0-9a-f-]{36}/"))
    growing = page.locator("structured-run [data-raw]").first
    expect(growing).to_contain_text("1 2 3", timeout=PATIENCE)
    me.assert_accessible()
    output = page.get_by_role("region", name="Output", exact=True)
    expect(output.locator(".badge--bad")).to_have_text("Invalid", timeout=PATIENCE)
    expect(output.locator(".faults")).to_contain_text("/code")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    me.assert_accessible()
    page.reload()
    expect(output.locator(".badge--bad")).to_have_text("Invalid")


def test_a_run_can_be_stopped(arrive: Visit) -> None:
    page = arrive("/structured/").page
    page.get_by_label("Input").fill("/slow 5 /tokens 500")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("structured-run [data-raw]").first).to_contain_text("1 2", timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("You stopped this run.")).to_be_visible(timeout=PATIENCE)


def test_a_broken_schema_is_marked_where_it_is(arrive: Visit) -> None:
    me = arrive("/structured/")
    me.expected.add(("/structured/", 422))
    page = me.page
    page.get_by_label("Schema").fill('{\n  "type": "object",,\n}')
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#schema-error")).to_contain_text("line 2, column 20")
    expect(page.get_by_label("Schema")).to_have_value(re.compile(",,"))
    me.assert_accessible()


def test_it_works_without_script(arrive: Visit) -> None:
    page = arrive("/structured/", java_script_enabled=False).page
    page.get_by_role("button", name="Generate").click()
    for _ in range(60):
        if page.locator(".badge--ok").count():
            break
        page.wait_for_timeout(300)
        page.get_by_role("link", name="Refresh").click()
    expect(page.locator(".badge--ok")).to_have_text("Valid")


def test_a_conversation_gets_its_title_while_it_is_open(arrive: Visit) -> None:
    page = arrive("/").page
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill("/slow 30 Could you please tell me what a lease is in a distributed system")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    title = page.locator("h1.bar__title")
    expect(title).to_contain_text("Could you please")
    expect(title).to_have_text("Lease distributed system", timeout=PATIENCE)
    expect(page.locator(".conv[aria-current] > span").first).to_have_text("Lease distributed system")
