"""Signing in through an OpenID provider that others wrote (panva), set up as OpenAI and as Google, in a browser."""

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.issuer import Panva, say_who, start_panva
from tests.browser.server import Server
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.panva]
type Visit = Callable[..., Visitor]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

AGE_THE_LINK = """
from django.contrib.sessions.models import Session
from importlib import import_module
for row in Session.objects.all():
    store = import_module("django.contrib.sessions.backends.db").SessionStore(row.session_key)
    if "pending_link" in store:
        store["pending_link"] = store["pending_link"] | {"at": store["pending_link"]["at"] - 600}
        store.save()
"""


@pytest.fixture(scope="module", autouse=True)
def panva(server: Server) -> Iterator[Panva]:
    running = start_panva(server)
    yield running
    running.stop()


@pytest.fixture
def arrive(visit: Visit, panva: Panva) -> Visit:
    """A visitor whose provider's pages are not ours to judge."""

    def come(**options: object) -> Visitor:
        visitor = visit(**options)
        visitor.foreign.add(panva.url)
        return visitor

    return come


def through(me: Visitor, name: str, login: str = "") -> Page:
    """Press the button; with `login` say on the provider's page who one is."""
    me.page.get_by_role("button", name=re.compile(f"(Continue with|Continue to|Try again with) {name}")).click()
    if login:
        say_who(me.page, login)
    return me.page


def sign_up(me: Visitor, login: str, name: str = "ChatGPT") -> None:
    me.go("/accounts/login/")
    through(me, name, login)
    me.page.wait_for_url(f"{me.url}/welcome/**")


def forget_who(me: Visitor) -> None:
    """Sign out at the provider."""
    me.context.clear_cookies(domain="127.0.0.1")


@pytest.mark.parametrize("name", ["ChatGPT", "Google"])
def test_a_member_signs_up_and_comes_back_without_a_word(arrive: Visit, name: str) -> None:
    me = arrive()
    sign_up(me, f"nora-{name.lower()}", name)
    me.assert_accessible()
    me.page.get_by_role("link", name="Not now").click()
    expect(me.page.get_by_role("heading", level=1)).to_have_text("What are we working on?")
    me.sign_out()
    through(me, name)
    me.page.wait_for_url(f"{me.url}/")
    me.go("/settings/accounts/")
    expect(me.page.get_by_role("region", name="Linked accounts")).to_contain_text(f"nora-{name.lower()}@example.com")
    me.assert_accessible()


def test_an_administrator_reaches_the_console_with_a_passkey_and_not_without(arrive: Visit, server: Server) -> None:
    me = arrive()
    page = me.page
    me.device()
    sign_up(me, "olga")
    server.manage("create_member", "olga@example.com", "--role", "admin")
    me.go("/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a passkey")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="I have saved them").click()
    page.wait_for_url(f"{me.url}/admin/")
    me.sign_out()
    me.go("/accounts/login/?next=/admin/")
    through(me, "ChatGPT")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    me.assert_accessible()
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(f"{me.url}/admin/")
    expect(page.get_by_text("Active members")).to_be_visible()
    changes_what_is_linked(me)


def changes_what_is_linked(me: Visitor) -> None:
    """From the settings: called off, then linked after a yes by name, then taken off."""
    page = me.page
    forget_who(me)
    me.go("/settings/accounts/")
    page.get_by_role("button", name="Link Google").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("You did not go on with Google. Nothing was changed.")).to_be_visible()
    page.get_by_role("button", name="Link Google").click()
    say_who(page, "olga-at-google")
    expect(page.get_by_role("heading", level=1)).to_have_text("Link this Google account?")
    page.get_by_role("button", name="Link Google").click()
    expect(page.get_by_text("Your Google account is linked.")).to_be_visible()
    page.get_by_role("link", name="Unlink ChatGPT").click()
    page.get_by_role("button", name="Unlink ChatGPT").click()
    expect(page.get_by_text("Your ChatGPT account is unlinked.")).to_be_visible()
    me.sign_out()
    through(me, "Google")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(f"{me.url}/")
    page.goto(f"{me.url}/admin/")
    expect(page.get_by_text("Active members")).to_be_visible()


def test_a_known_address_is_linked_after_the_passkey_and_a_yes_and_taken_off_again(arrive: Visit) -> None:
    me = arrive()
    page = me.page
    me.device()
    me.sign_up("petra@example.com")
    me.sign_out()
    through(me, "Google", "petra")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is an account with this email")
    me.assert_accessible()
    page.get_by_role("link", name="Sign in to your account").click()
    page.get_by_role("button", name="Continue with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Link this Google account?")
    me.assert_accessible()
    page.get_by_role("button", name="Link Google").click()
    expect(page.get_by_text("Your Google account is linked.")).to_be_visible()
    page.get_by_role("link", name="Unlink Google").click()
    me.assert_accessible()
    page.get_by_role("button", name="Unlink Google").click()
    expect(page.get_by_text("Your Google account is unlinked.")).to_be_visible()
    me.sign_out()
    through(me, "Google")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is an account with this email")


def test_another_persons_link_is_refused_and_an_old_one_is_gone(arrive: Visit, server: Server) -> None:
    me = arrive()
    page = me.page
    me.expected |= {("/link/", 409), ("/link/", 410)}
    first = me.device()
    me.sign_up("rita@example.com")
    me.sign_out()
    first.unplug()
    me.device()
    me.sign_up("sonja@example.com")
    me.sign_out()
    through(me, "ChatGPT", "rita")
    page.get_by_role("link", name="Sign in to your account").click()
    page.get_by_role("button", name="Continue with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is for another account")
    me.assert_accessible()
    server.manage("shell", "-c", AGE_THE_LINK)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits to be linked")
    me.assert_accessible()


def test_the_only_way_in_cannot_be_taken_off(arrive: Visit) -> None:
    me = arrive()
    sign_up(me, "tilda")
    server_page = me.go("/settings/accounts/")
    server_page.get_by_role("link", name="Unlink ChatGPT").click()
    expect(server_page.get_by_role("heading", level=1)).to_have_text(re.compile("Sign in again|The last way"))


def test_a_cancelled_sign_in_says_so_and_nothing_else(arrive: Visit) -> None:
    me = arrive()
    me.go("/accounts/login/")
    through(me, "Google")
    me.page.get_by_role("link", name="Cancel").click()
    me.page.wait_for_url(f"{me.url}/accounts/login/")
    expect(me.page.get_by_text("You did not go on with Google. Nothing was changed.")).to_be_visible()
    me.assert_accessible()


def test_a_callback_works_once_and_in_the_browser_that_began(arrive: Visit) -> None:
    me, other = arrive(), arrive()
    callback = "/accounts/oidc/openai/login/callback/"
    me.expected.add((callback, 401))
    other.expected.add((callback, 401))
    seen: list[str] = []
    me.page.on("request", lambda request: seen.append(request.url) if callback in request.url else None)
    sign_up(me, "ulla")
    for visitor in (other, me):
        visitor.go(seen[0])
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("ChatGPT did not sign you in")
        visitor.assert_accessible()
    other.page.get_by_role("link", name="Sign in another way").click()
    expect(other.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_unproven_address_waits_for_its_code(arrive: Visit) -> None:
    me = arrive()
    me.go("/accounts/login/")
    through(me, "ChatGPT", "vera+unproven")
    expect(me.page.get_by_role("heading", level=1)).to_have_text("Check your email")
    me.confirm_code()
    me.page.wait_for_url(f"{me.url}/welcome/**")


def test_it_works_without_script(arrive: Visit) -> None:
    me = arrive(java_script_enabled=False)
    sign_up(me, "wanda")
    me.page.get_by_role("link", name="Not now").click()
    expect(me.page.get_by_role("link", name="New chat").first).to_be_visible()


def test_its_pages_fit_their_window_in_both_themes(arrive: Visit) -> None:
    me = arrive()
    sign_up(me, "xenia")
    for path in ("/settings/accounts/", "/accounts/oidc/google/login/"):
        page = me.go(path)
        for width, scheme in product((390, 1440), SCHEMES):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            me.assert_accessible()
