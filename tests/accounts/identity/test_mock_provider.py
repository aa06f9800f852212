"""Signing in through `oidc-provider-mock`, which others wrote, also when it insists on a nonce."""

import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from oidc_provider_mock import run_server_in_thread

from accounts import sealing
from accounts.models import IdentityProvider
from tests.accounts.identity.conftest import Traveller

CLAIMS = {"email": "dora@example.com", "email_verified": True, "name": "Dora"}


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address; dora is known there. It refuses whoever sends no nonce."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with run_server_in_thread(require_nonce=True) as server:
            url = f"http://localhost:{server.server_port}"
            httpx2.put(f"{url}/users/dora-1", json=CLAIMS).raise_for_status()
            yield url


def row(url: str, method: str) -> IdentityProvider:
    values = {"slug": "mock", "name": "Mock", "issuer": url, "client_id": "parley", "token_auth": method}
    made = IdentityProvider(**values, sign_up="open", enabled=True)
    made.secret = sealing.seal(made, "a secret")
    made.save()
    return made


def says_yes(address: str, subject: str = "dora-1", **form: str) -> str:
    """The person on the provider's page; where they are sent back to."""
    answer = httpx2.post(address, data={"sub": subject} | form)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_person_signs_up_and_comes_back(db: None, dora: Traveller, mock: str, method: str) -> None:
    row(mock, method)
    dora.come_back(says_yes(dora.leave("mock")))
    assert dora.email_of_session == "dora@example.com"
    dora.sign_out()
    assert dora.come_back(says_yes(dora.leave("mock"))).request["PATH_INFO"] == "/"
    assert dora.email_of_session == "dora@example.com"


def test_a_person_who_says_no_is_back_on_the_sign_in_page(db: None, dora: Traveller, mock: str) -> None:
    row(mock, "client_secret_basic")
    page = dora.come_back(says_yes(dora.leave("mock"), action="deny"))
    assert page.request["PATH_INFO"] == "/accounts/login/"
    assert "You did not go on with Mock" in page.text


def test_every_request_carries_a_nonce_of_its_own_and_a_challenge(db: None, dora: Traveller, mock: str) -> None:
    row(mock, "none")
    asked: list[dict[str, Any]] = [parse_qs(urlsplit(dora.leave("mock")).query) for _ in range(2)]
    for name in ("nonce", "state", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert sorted(asked[0]["scope"][0].split()) == ["email", "openid", "profile"]
