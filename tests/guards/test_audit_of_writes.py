"""Whoever adds an address that writes says whether the audit hears of it; and of those that should, it does.

The table is tests/guards/authorization/writes.py. The console writes through its base: test_console_authorization.py.
"""

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from accounts.models import AuditEntry
from tests.guards.authorization.rules import OWN, OWNER, SAME
from tests.guards.authorization.world import World, make_world, path_of
from tests.guards.authorization.writes import AUDITED, UNHEARD
from tests.guards.test_authorization import LINES, ROUTES

# PUT is another word for POST on the pages of allauth, and redirects and health answer to every method.
SAME_AS_POST = {
    name for name in LINES if not name.startswith(("accounts_api", "catalog_api", "chat_api", "providers_api"))
}


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return make_world()


def test_every_address_that_writes_is_in_the_table() -> None:
    writing = {
        (name, "POST" if name in SAME_AS_POST else method)
        for name, lines in LINES.items()
        for line in lines
        for method in line.methods
        if method != "GET"
    }
    assert sorted(writing - set(AUDITED) - set(UNHEARD)) == []
    assert sorted((set(AUDITED) | set(UNHEARD)) - writing) == []
    assert set(AUDITED) & set(UNHEARD) == set()


@pytest.mark.parametrize(("name", "method"), sorted(AUDITED))
def test_what_it_writes_is_in_the_audit(world: World, name: str, method: str) -> None:
    kind, body, action = AUDITED[name, method]
    pk = world.id_of(kind, OWNER, OWN if kind in world.personal else SAME) if kind else None
    before = AuditEntry.objects.latest("pk").pk
    client = Client()
    client.cookies["sessionid"] = world.cookies[OWNER]
    path = path_of(ROUTES[name], pk)
    with transaction.atomic():
        if path.startswith("/api/"):
            answer = getattr(client, method.lower())(path, body, content_type="application/json")
        else:
            answer = client.post(path, body)
    assert answer.status_code < 400
    written = AuditEntry.objects.filter(pk__gt=before, who="owner@example.com").values_list("action", flat=True)
    assert action in set(written)
