"""A key that is entered in a browser stays out of all that the browser keeps: document, storage, cookies, addresses."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.faults.canaries import hits, key_of
from tests.faults.echo import Echo, echoing

pytestmark = pytest.mark.browser

KEPT = """async () => {
  const names = (await indexedDB.databases?.() ?? []).map((one) => one.name);
  const caches_ = "caches" in window ? await caches.keys() : [];
  return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, names, caches_,
    [...document.querySelectorAll("input, textarea")].map((one) => one.value), history.state]);
}"""


@pytest.fixture(scope="module")
def server(serve: Callable[..., Server]) -> Iterator[Server]:
    """Behind it is an upstream that refuses every key and repeats it."""
    with echoing() as upstream:
        yield serve(OPENAI_BASE_URL=f"{upstream}/v1")


def held(page: Page) -> dict[str, bytes]:
    """What a page and its browser hold now; the session's own cookie is not readable by scripts."""
    return {f"document {page.url}": page.content().encode(), f"storage {page.url}": page.evaluate(KEPT).encode()}


def test_a_key_leaves_nothing_in_the_browser(arrive: Callable[..., Visitor]) -> None:
    key, heard, sinks = key_of("openai"), bytearray(), dict[str, bytes]()
    visitor = arrive("/settings/providers/")
    page = visitor.page
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.extend(str(frame).encode())))
    form = page.locator('form[action^="/settings/providers/openai/key/"]').first
    form.locator('input[name="secret"]').fill(key)
    assert hits({"key": key}, {"typed": page.evaluate(KEPT).encode()}), "what was typed is seen"
    form.locator('button[type="submit"], button:not([type])').first.click()
    expect(page.locator("body")).to_contain_text(f"…{key[-4:]}")
    assert key in Echo.keys, "the key was used"
    sinks |= held(page)
    for path in ("/models/", "/status/", "/", "/settings/providers/"):
        visitor.go(path)
        sinks |= held(page)
    sinks["sockets"] = bytes(heard)
    sinks["saved state"] = json.dumps(visitor.context.storage_state()).encode()
    assert hits({"key": key}, sinks) == []
