"""States that the tests of signing in start from."""

import json
import re
import time
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from allauth.account.internal.flows import login
from django.core.cache import cache
from django.test import Client

from tests.accounts.device import SoftDevice

HOST = "localhost"


@dataclass
class Person:
    """Somebody at a browser without script: they type what pages show, and their device signs."""

    client: Client
    device: SoftDevice
    email: str = "dora@example.com"

    def post(self, path: str, **data: Any) -> Any:
        return self.client.post(path, data, follow=True)

    def get(self, path: str) -> Any:
        return self.client.get(path, follow=True)

    def start_sign_up(self) -> Any:
        return self.post("/accounts/signup/passkey/", email=self.email)

    def confirm(self, page: Any) -> Any:
        """Type the code that development shows on `page`, at the address the person is at."""
        found = re.search(r'id="development-code">([^<]+)<', page.text)
        assert found, page.text
        return self.post(page.request["PATH_INFO"], code=found[1])

    def make_passkey(self, page: Any) -> Any:
        """Use the device on a page that asks it for a new passkey."""
        return self.post(page.request["PATH_INFO"], name="Laptop", credential=self.device.create(options(page)))

    def sign_up(self) -> Any:
        """Ends on the recovery codes."""
        return self.make_passkey(self.confirm(self.start_sign_up()))

    def sign_in(self) -> Any:
        asked = self.client.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
        return self.post("/accounts/2fa/webauthn/login/", credential=self.device.get(asked["request_options"]))

    def prove(self, page: Any) -> Any:
        """Use the device on a page that asks for the passkey again."""
        wanted = re.search(r'name="next" value="([^"]*)"', page.text)
        carried = {"next": unescape(wanted[1])} if wanted else {}
        credential = self.device.get(options(page, "request_options"))
        return self.post(page.request["PATH_INFO"], credential=credential, **carried)

    def sign_out(self) -> Any:
        return self.post("/accounts/logout/")

    @property
    def is_in(self) -> bool:
        return "_auth_user_id" in self.client.session


def options(page: Any, kind: str = "creation_options") -> dict[str, Any]:
    found = re.search(r'id="passkey-options" type="application/json">(.*?)</script>', page.text)
    assert found, page.text
    asked: dict[str, Any] = json.loads(found[1])[kind]
    return asked


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Rate limits count across tests otherwise."""
    cache.clear()


@pytest.fixture
def dora(db: None) -> Person:
    """Nobody yet."""
    return Person(Client(headers={"host": HOST}), SoftDevice())


@pytest.fixture
def eve(db: None) -> Person:
    """Somebody else with their own browser and device."""
    return Person(Client(headers={"host": HOST}), SoftDevice(), "eve@example.com")


def prove_passkey(client: Client) -> None:
    """What a passkey that was used just now leaves in a session, for tests that are not about passkeys."""
    session = client.session
    used = {"method": "mfa", "type": "webauthn", "id": 1, "at": time.time(), "reauthenticated": True}
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [used]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = session["_auth_user_id"]
    session.save()
