"""Passkeys in a real browser: sign up, come back, keep the last one, lose it and recover."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]


def test_a_newcomer_signs_up_with_a_passkey_and_comes_back_with_it(visit: Visit) -> None:
    me = visit()
    page, device = me.page, me.device()
    codes = me.sign_up("nora@example.com")
    assert len(codes) == 10
    assert len(device.credentials()) == 1
    assert device.credentials()[0]["isResidentCredential"]
    me.sign_out()
    expect(page).to_have_url(f"{me.url}/accounts/login/")
    me.sign_in()
    expect(page).to_have_url(f"{me.url}/")


def test_autofill_offers_the_passkey_without_a_click(visit: Visit) -> None:
    me = visit(autofill=True)
    device = me.device()
    me.sign_up("otto@example.com")
    device.answer(present=False)
    me.sign_out()
    expect(me.page.get_by_label("Email")).to_have_attribute("autocomplete", "username webauthn")
    device.answer(present=True)
    me.page.reload()
    me.page.wait_for_url(f"{me.url}/")


def test_a_cancelled_prompt_says_nothing_and_can_be_repeated(visit: Visit) -> None:
    me = visit()
    page, device = me.page, me.device()
    me.sign_up("paul@example.com")
    me.sign_out()
    button = page.get_by_role("button", name="Continue with a passkey")
    device.verify(person=False)
    button.click()
    expect(button).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("[data-passkey-status]")).to_be_hidden()
    device.verify(person=True)
    button.click()
    page.wait_for_url(f"{me.url}/")


def test_recovery_codes_stay_until_they_are_saved_and_then_never_return(visit: Visit) -> None:
    me = visit()
    me.device()
    page = me.page
    codes = me.sign_up("quinn@example.com", save_codes=False)
    page.reload()
    assert me.recovery_codes() == codes
    me.assert_accessible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert codes[0] in download.value.path().read_text()
    page.get_by_role("button", name="I have saved them").click()
    page.wait_for_url(f"{me.url}/")
    me.go("/accounts/2fa/recovery-codes/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts and passkeys")
    expect(page.get_by_text("10 codes left")).to_be_visible()


def test_the_last_passkey_stays_and_a_second_one_can_be_removed(visit: Visit) -> None:
    me = visit()
    page, laptop = me.page, me.device()
    me.sign_up("rosa@example.com")
    me.go("/settings/accounts/")
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The last passkey stays")
    laptop.unplug()
    me.device("usb")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of this passkey").fill("Desk key")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url(f"{me.url}/settings/accounts/")
    page.get_by_role("link", name="Rename Desk key").click()
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("strong").get_by_text("Blue key")).to_be_visible()
    page.get_by_role("link", name="Remove").first.click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_role("link", name="Rename")).to_have_count(1)
    me.sign_out()
    me.sign_in()


def test_a_lost_passkey_is_replaced_with_a_code_by_mail_and_a_recovery_code(visit: Visit) -> None:
    me = visit()
    page, lost = me.page, me.device()
    codes = me.sign_up("sven@example.com")
    me.sign_out()
    lost.unplug()
    page.get_by_label("Email").fill("sven@example.com")
    page.get_by_role("button", name="Email me a code").click()
    me.confirm_code()
    page.get_by_label("Recovery code").fill(codes[3])
    page.get_by_role("button", name="Use a recovery code").click()
    page.wait_for_url(f"{me.url}/")
    me.device("usb")
    me.go("/accounts/2fa/webauthn/add/")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url(f"{me.url}/settings/accounts/")
    expect(page.get_by_text("9 codes left")).to_be_visible()


def test_an_api_token_is_shown_once_and_copied(visit: Visit) -> None:
    me = visit(permissions=["clipboard-read", "clipboard-write"])
    me.device()
    page = me.page
    me.sign_up("tara@example.com")
    me.go("/settings/tokens/")
    page.get_by_label("Name").fill("Nightly report")
    page.get_by_role("checkbox", name=re.compile("^models ")).check()
    page.get_by_role("button", name="Create token").click()
    plain = page.locator("#new-token").inner_text()
    assert re.fullmatch(r"parley_pat_[\w-]{43}[0-9a-f]{6}", plain)
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == plain
    answer = page.request.get(f"{me.url}/api/v1/me/", headers={"Authorization": f"Bearer {plain}", "Cookie": ""})
    assert answer.json()["scopes"] == ["models"]
    me.go("/settings/tokens/")
    expect(page.locator("#new-token")).to_have_count(0)
    page.get_by_role("button", name="Revoke Nightly report").click()
    answer = page.request.get(f"{me.url}/api/v1/me/", headers={"Authorization": f"Bearer {plain}", "Cookie": ""})
    assert answer.status == 401


def test_the_console_asks_an_owner_for_a_passkey_first(visit: Visit, server: Server) -> None:
    me = visit()
    page = me.page
    me.device()
    me.go(server.sign_in_link("uma@example.com", role="owner"))
    me.go("/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a passkey")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="I have saved them").click()
    page.wait_for_url(f"{me.url}/admin/")
    expect(page.get_by_text("Active members")).to_be_visible()
    me.assert_accessible()
    page.get_by_role("link", name="Memberships").click()
    expect(
        page.get_by_text("uma@example.com in Workspace (owner)").or_(page.get_by_role("link", name="uma@"))
    ).to_have_count(1)
    me.sign_out()
    me.sign_in("/admin/")
    expect(page).to_have_url(f"{me.url}/admin/")


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/signup/", "/welcome/", "/settings/accounts/", "/settings/tokens/"]
)
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_fit_their_window_in_both_themes(visit: Visit, server: Server, path: str, width: int) -> None:
    for scheme in ("light", "dark"):
        me = visit(width=width, color_scheme=scheme)
        if not path.startswith("/accounts"):
            me.go(server.sign_in_link("vera@example.com"))
        page = me.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        me.assert_accessible()
