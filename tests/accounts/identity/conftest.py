"""People who come from an identity provider: a browser without script, and an issuer that plays along."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts import sealing
from accounts.models import IdentityProvider
from tests.accounts.conftest import HOST, Person
from tests.accounts.device import SoftDevice
from tests.accounts.evil_issuer import CLIENT, SECRET, Issuer, running_issuer

DORA = {"sub": "dora-1", "email": "dora@example.com", "email_verified": True, "name": "Dora"}


@dataclass
class Traveller(Person):
    """A person who also goes to an issuer and comes back."""

    def leave(self, slug: str = "acme", process: str = "", **data: str) -> str:
        """Press the button; the address that the browser goes to next."""
        query = f"?process={process}" if process else ""
        return self.address_on(self.post(f"/accounts/oidc/{slug}/login/{query}", **data))

    def address_on(self, page: Any) -> str:
        """Where a page that leads to an issuer leads."""
        found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
        assert found, page.text
        return unescape(found[1])

    def come_back(self, address: str) -> Any:
        return self.client.get(address.removeprefix("http://localhost"), follow=True)

    def travel(self, issuer: Issuer, slug: str = "acme", process: str = "", **data: str) -> Any:
        return self.come_back(issuer.authorize(self.leave(slug, process, **data)))

    @property
    def email_of_session(self) -> str:
        from accounts.models import User

        pk = self.client.session.get("_auth_user_id")
        return User.objects.get(pk=pk).email if pk else ""


@pytest.fixture(scope="session")
def one_issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def issuer(one_issuer: Issuer) -> Issuer:
    """Honest again, and dora is signed in there."""
    fresh = Issuer(one_issuer.url)
    one_issuer.__dict__.update(fresh.__dict__, person=dict(DORA))
    return one_issuer


def make_provider(issuer: Issuer, slug: str = "acme", **over: Any) -> IdentityProvider:
    values = {"name": slug.title(), "issuer": issuer.url, "client_id": CLIENT, "enabled": True}
    made = IdentityProvider(slug=slug, **values | {"sign_up": "open"} | over)
    made.secret = sealing.seal(made, SECRET)
    made.save()
    return made


@pytest.fixture
def acme(db: None, issuer: Issuer) -> IdentityProvider:
    """An identity provider of the whole installation with which everybody may sign up."""
    return make_provider(issuer)


@pytest.fixture
def dora(db: None) -> Traveller:
    """Nobody yet."""
    return Traveller(Client(headers={"host": HOST}), SoftDevice())


@pytest.fixture
def eve(db: None) -> Traveller:
    """Somebody else with their own browser and device."""
    return Traveller(Client(headers={"host": HOST}), SoftDevice(), "eve@example.com")


def at_once(workers: int, work: Callable[[int], Any], count: int) -> list[Any]:
    """`work(0)` to `work(count - 1)` on threads that give their connections back."""

    def one(number: int) -> Any:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, range(count)))
