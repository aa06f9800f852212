"""Every address, method, role and place of the thing it names: who passes, and that foreign is the same as missing.

The table is in tests/guards/authorization; its docstring says how to add a line.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver

from tests.guards.authorization import api, pages
from tests.guards.authorization.rules import ANONYMOUS, DELETED, METHODS, OTHER, OWNER, SAME, Line
from tests.guards.authorization.world import World, make_world, outcome, path_of

LINES = pages.LINES | api.LINES


def entries(resolver: URLResolver, place: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Every address as (name, route), in the order in which they are tried."""
    for entry in resolver.url_patterns:
        route = place + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from entries(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            yield space + (entry.name or str(entry.pattern)), route


def reachable() -> dict[str, str]:
    """Addresses outside the console by name; one that another address hides does not count."""
    found: dict[str, str] = {}
    for name, route in entries(get_resolver()):
        hidden = route in found.values() or (name not in LINES and route.startswith("accounts/password/"))
        if not (name.startswith("admin:") or hidden or "(?P" in route):
            found[name] = route
    return found


ROUTES = reachable()


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return make_world()


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    assert sorted(set(ROUTES) - set(LINES)) == []
    assert sorted(set(LINES) - set(ROUTES)) == []


def test_an_address_that_names_a_thing_has_a_line_that_says_of_which_kind() -> None:
    silent = [
        name
        for name, route in ROUTES.items()
        if ("<uuid:" in route or "<int:" in route) and not all(line.kind for line in LINES[name])
    ]
    assert silent == []


def judged(world: World, name: str, line: Line, method: str) -> Iterator[str]:
    """What is wrong with one method of one line, over all roles and places."""
    for role in line.roles():
        unseen: dict[str, bytes] = {}
        for place in line.places():
            pk = world.id_of(line.kind, role, place) if line.kind else None
            expected = line.expected(role, place)
            if (line.kind and pk is None) or (line.passes in expected and not line.calls):
                continue
            cache.clear()
            ids = [pk, world.beside(line.beside, role)]
            path = path_of(ROUTES[name], *(ids[::-1] if line.inner else ids))
            answer = world.ask(role, method, path, world.filled(line.body, role))
            got = outcome(answer)
            if got not in expected and not (line.anything and int(answer.status_code) < 500):
                yield f"{method} {name} as {role}, {place or 'nothing named'}: {got}, not {' or '.join(expected)}"
            if role == ANONYMOUS:
                continue  # sent to the door, with the way back
            if place in {OTHER, DELETED} or (line.personal and place == SAME):
                unseen[place] = plain(answer, pk)
        if len(set(unseen.values())) > 1:
            yield f"{method} {name} as {role}: {' and '.join(unseen)} do not look alike"


def plain(answer: Any, pk: str | None) -> bytes:
    """Status, where to, and body, without the id that was asked for (of a number, only inside an address)."""
    said = f"{answer.status_code} {answer.headers.get('Location', '')}\n".encode()
    body = b"" if answer.streaming else answer.content
    told = (said + body).replace(pk.encode(), b"ID") if pk and len(pk) == 36 else said + body
    return told.replace(f"/{pk}/".encode(), b"/ID/")


@pytest.mark.parametrize(
    "part", ["SIGNING_IN", "OWN_ACCOUNT", "WORKSPACE", "CHAT", "FILES", "PROVIDERS", "CATALOG", "API"]
)
def test_everybody_gets_what_the_table_says(world: World, part: str) -> None:
    table: dict[str, list[Line]] = api.LINES if part == "API" else getattr(pages, part)
    wrong = [
        fault
        for name, lines in table.items()
        for line in lines
        if not line.elsewhere
        for method in line.methods
        for fault in judged(world, name, line, method)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_method_without_a_line_is_refused(world: World) -> None:
    taken = {}
    for name, route in ROUTES.items():
        known = {method for line in LINES[name] for method in line.methods}
        kind = LINES[name][0].kind
        pk = world.id_of(kind, OWNER, "own" if LINES[name][0].personal else SAME) if kind else None
        for method in set(METHODS) - known:
            for role in (OWNER, ANONYMOUS):
                status = world.ask(role, method, path_of(route, pk)).status_code
                if status not in {302, 401, 403, 404, 405}:  # allauth leads who is signed in away before it looks
                    taken[f"{method} {name} as {role}"] = status
    assert taken == {}
