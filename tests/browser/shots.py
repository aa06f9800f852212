"""`just shots`: the screenshots that the documentation shows, from a real server that the sandbox answers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.server import ROOT, Server
from tests.browser.visitor import LAUNCH
from tests.faults.servers import Sandbox

FOLDER = ROOT / "docs" / "screenshots"
DESK, PHONE = (1440, 900), (390, 844)


@contextmanager
def window(browser: Browser, size: tuple[int, int], scheme: str, state: str | None) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        storage_state=state,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png")


def ask(page: Page, words: str) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(words)
    page.keyboard.press("Enter")


def ended(page: Page) -> None:
    expect(page.locator(".turn:last-child:not([aria-busy]):not(.turn--you)")).to_have_count(1, timeout=60_000)


def choose(page: Page, words: str) -> None:
    page.locator("[data-open-picker]").click()
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def conversations(page: Page, url: str) -> None:
    """Something to see in the list."""
    for title in ("Compare two error taxonomies", "SQL: monthly active members", "Retry budget for webhooks"):
        page.goto(url)
        ask(page, title)
        page.wait_for_url("**/c/**")
        ended(page)


def signed_in(browser: Browser, server: Server, state: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.sign_in_link("maria@example.com", role="owner"))
    conversations(page, server.url)
    context.storage_state(path=state)
    context.close()


def chat(browser: Browser, server: Server, state: str) -> None:
    """One conversation over two models, a running answer and a failure, on a desk and on a phone."""
    with window(browser, DESK, "light", state) as page:
        page.goto(server.url)
        shoot(page, "new-chat")
        page.locator("[data-open-picker]").click()
        shoot(page, "model-picker")
        page.keyboard.press("Escape")
        choose(page, "gemini pro")
        ask(page, "Our nightly import hits a rate limit. Show a limiter in Python code.")
        page.wait_for_url("**/c/**")
        address = page.url
        ended(page)
        shoot(page, "chat-light")
        choose(page, "gpt-sandbox-mini")
        ask(page, "/slow 15 Now list what to watch, with a table")
        expect(page.locator("[aria-busy] .stack > .prose")).to_contain_text("You wrote", timeout=60_000)
        page.wait_for_timeout(2500)
        shoot(page, "chat-streaming")
        ended(page)
    for name, size, scheme in (("chat-dark", DESK, "dark"), ("chat-mobile-dark", PHONE, "dark")):
        with window(browser, size, scheme, state) as page:
            page.goto(address)
            shoot(page, name)
    with window(browser, DESK, "light", state) as page:
        page.goto(server.url)
        ask(page, "/fault cut after 30")
        page.wait_for_url("**/c/**")
        ended(page)
        shoot(page, "error-card")


def pages(browser: Browser, server: Server, state: str) -> None:
    for name, path in (("settings-providers", "/settings/providers/"), ("settings-accounts", "/settings/accounts/")):
        with window(browser, DESK, "light", state) as page:
            page.goto(server.url + path)
            shoot(page, name)
    with window(browser, DESK, "light", None) as page:
        page.goto(f"{server.url}/accounts/login/")
        shoot(page, "sign-in")
    with window(browser, PHONE, "light", state) as page:
        page.goto(server.url)
        page.get_by_role("button", name="Open conversations").click()
        shoot(page, "drawer-mobile-light")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Sandbox() as vendor, sync_playwright() as playwright:
        server = Server(Path(home), {"PARLEY_SANDBOX_URL": vendor.url})
        server.manage("migrate", "--verbosity", "0")
        server.manage("sync_catalog")
        server.start()
        browser = playwright.chromium.launch(**LAUNCH)
        try:
            state = str(Path(home) / "state.json")
            signed_in(browser, server, state)
            chat(browser, server, state)
            pages(browser, server, state)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
