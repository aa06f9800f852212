"""Every page of the console, by role and by whose row it is; forged forms reach no further than honest ones.

The table is tests/guards/authorization/console.py: a model that is registered without a line fails here.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.console import WorkspaceAdmin
from accounts.models import AuditEntry
from tests.guards.authorization.console import ACTIONS, ADMITTED, EXTRAS, PAGES, Page
from tests.guards.authorization.rules import (
    ADMIN,
    DELETED,
    DOOR,
    GONE,
    NO,
    OTHER,
    OUTSIDER,
    OWNER,
    PASS,
    ROLES,
    SAME,
    SUPERUSER,
)
from tests.guards.authorization.world import World, make_world, outcome
from tests.guards.test_references import counts

REGISTERED = {model._meta.label: page for model, page in admin.site._registry.items()}
STOCK = {"view", "changelist", "add", "change", "delete", "history"}


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return make_world()


def test_every_model_of_the_console_has_a_line() -> None:
    assert set(REGISTERED) == set(PAGES)


def test_every_page_is_scoped_and_written_down_by_its_base() -> None:
    assert [label for label, page in REGISTERED.items() if not isinstance(page, WorkspaceAdmin)] == []


def test_every_action_and_every_own_address_has_a_line() -> None:
    for label, page in REGISTERED.items():
        assert set(page.actions or ()) - {"delete_selected"} == ACTIONS.get(label, set()), label
        own = {url.name for url in page.urls if url.name}
        prefix = label.lower().replace(".", "_")
        assert own - {f"{prefix}_{name}" for name in STOCK} - set(EXTRAS) == set(), label


def test_no_filter_lists_the_rows_of_another_table() -> None:
    """Django fills such a filter with every row there is, whoever looks."""
    for label, page in REGISTERED.items():
        for name in page.list_filter:
            if isinstance(name, str):
                assert not page.opts.get_field(name).is_relation, (label, name)


# ---------------------------------------------------------------- who opens what
def address(label: str, verb: str, pk: str | None = None) -> str:
    name = label.lower().replace(".", "_")
    return reverse(f"admin:{name}_{verb}", args=[pk] if pk else [])


def visible(page: Page, role: str, place: str) -> bool:
    return place == SAME or (place == OTHER and (role == SUPERUSER or page.everybodys))


def expected(page: Page, role: str, place: str, may: frozenset[str]) -> str:
    if role not in ADMITTED:
        return DOOR
    if not visible(page, role, place):
        return GONE
    return PASS if role in may else NO


def told(answer: Any) -> str:
    """Django leads away from a row that is not there, to the first page of the console."""
    return GONE if answer.status_code == 302 and answer["Location"] == "/admin/" else outcome(answer)


def judged(world: World, label: str, page: Page) -> Iterator[str]:
    for role in set(ROLES) - {OUTSIDER}:  # who is an owner like the other one
        tries = [("changelist", "GET", page.view), ("add", "GET", page.add), ("add", "POST", page.add)]
        for verb, method, may in tries:
            got, due = told(world.ask(role, method, address(label, verb))), expected(page, role, SAME, may)
            if got != due:
                yield f"{method} {verb} {label} as {role}: {got}, not {due}"
        for place in (SAME, OTHER, DELETED) if role in ADMITTED else (SAME,):
            pk = world.id_of(page.kind, role, place)
            of_a_row = [
                ("change", "GET", page.view),
                ("change", "POST", page.change),
                ("delete", "GET", page.delete),
                ("delete", "POST", page.delete),
                ("history", "GET", page.view),
            ]
            for verb, method, may in of_a_row:
                got = told(world.ask(role, method, address(label, verb, pk)))
                due = expected(page, role, place, may)
                if got != due and not (got == NO and due == GONE and role not in may):
                    yield f"{method} {verb} {label} as {role}, {place}: {got}, not {due}"


@pytest.mark.parametrize("label", sorted(PAGES))
def test_everybody_gets_what_the_table_says(world: World, label: str) -> None:
    wrong = list(judged(world, label, PAGES[label]))
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", sorted(name for name, kind in EXTRAS.items() if kind))
def test_an_address_of_our_own_knows_no_foreign_row(world: World, name: str) -> None:
    for method in ("GET", "POST"):
        ids = [world.id_of(EXTRAS[name], OWNER, place) for place in (OTHER, DELETED)]
        paths = [reverse(f"admin:{name}", args=[pk]) for pk in ids]
        answers = [world.ask(OWNER, method, path) for path in paths]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].status_code in {302, 404, 405}
        assert world.ask("member", method, paths[0])["Location"].startswith("/admin/login/")


def test_a_members_own_key_is_not_an_administrators_business(world: World) -> None:
    for role in (ADMIN, OWNER):
        for verb in ("change", "delete", "history"):
            pk = world.id_of("credential", "member", "own")
            assert told(world.ask(role, "GET", address("providers.Credential", verb, pk))) == GONE


def test_without_a_fresh_passkey_nobody_is_admitted(world: World) -> None:
    client = Client()
    client.force_login(world.people[OWNER])
    for label in PAGES:
        assert client.get(address(label, "changelist"))["Location"].startswith("/admin/login/")


# ---------------------------------------------------------------- what pages hold
def traces(world: World, role: str) -> set[str]:
    """What would show that the other workspace exists: its ids, its name, its people."""
    other = world.theirs if role != "outsider" else world.ours
    ids = {found[other.pk] for kind, found in world.common.items() if kind not in {"model", "health"}}
    return {pk for pk in ids if len(pk) == 36} | {other.name, f"somebody-in-{other.name.lower()}"}


@pytest.mark.parametrize("label", sorted(PAGES))
def test_no_list_form_or_choice_shows_another_workspace(world: World, label: str) -> None:
    page = PAGES[label]
    paths = [address(label, "changelist"), address(label, "change", world.id_of(page.kind, OWNER, SAME))]
    paths += [address(label, "add")] if page.add else []
    paths += [f"{paths[0]}?q=somebody"] if REGISTERED[label].search_fields else []
    for path in paths:
        text = world.ask(OWNER, "GET", path).text
        assert {trace for trace in traces(world, OWNER) if re.search(rf"\b{trace}\b", text)} == set(), path


def test_an_address_asks_for_nothing_that_its_list_does_not_show(world: World) -> None:
    for label, asked in {
        "accounts.User": "password__startswith=p",
        "accounts.Membership": "user__password__startswith=p",
        "accounts.Invitation": "digest__startswith=a",
        "providers.Credential": "fingerprint__startswith=a",
    }.items():
        assert world.ask(OWNER, "GET", f"{address(label, 'changelist')}?{asked}").status_code == 400, label


def test_nothing_foreign_is_completed_and_no_object_is_guessed(world: World) -> None:
    asked = "/admin/autocomplete/?app_label=accounts&model_name=membership&field_name=user&term=example"
    assert {trace for trace in traces(world, OWNER) if trace in world.ask(OWNER, "GET", asked).text} == set()
    foreign = [world.id_of("workspace", OWNER, place) for place in (OTHER, DELETED, SAME)]
    answers = [world.ask(OWNER, "GET", f"/admin/r/1/{pk}/") for pk in foreign]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1


# ---------------------------------------------------------------- forged forms
def forged(world: World, label: str) -> dict[str, str]:
    """A form for a row of the other workspace, with what a forger adds to it."""
    other = str(world.theirs.pk)
    model = world.id_of("model", OWNER, SAME) or ""
    sent = {"workspace": other, "context": "summary", "model": model, "order": "7", "enabled": "on", "name": "Taken"}
    sent |= {"provider_id": "mistral", "role": "owner", "user": str(world.people["outsider"].pk)}
    return sent | {"is_superuser": "on", "is_staff": "on", "id": world.id_of(PAGES[label].kind, OWNER, OTHER) or ""}


@pytest.mark.parametrize("label", sorted(PAGES))
def test_a_forged_form_makes_and_moves_nothing(world: World, label: str) -> None:
    page = PAGES[label]
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = world.cookies[ADMIN]
    before = counts()
    paths = [address(label, "change", world.id_of(page.kind, ADMIN, place)) for place in (SAME, OTHER)]
    paths.append(address(label, "add"))
    owned = rows_of(world)
    for path in paths:
        with transaction.atomic():
            client.post(path, forged(world, label))
    after = counts()
    assert after | {"accounts.AuditEntry": 0} == before | {"accounts.AuditEntry": 0}
    assert rows_of(world) == owned


def rows_of(world: World) -> dict[str, Any]:
    """Everything that a row says about whose it is, in the other workspace."""
    from accounts.models import Membership, User

    people = list(User.objects.order_by("pk").values_list("pk", "is_superuser", "is_staff", "is_active"))
    roles = list(Membership.objects.order_by("pk").values_list("pk", "user", "workspace"))
    world.theirs.refresh_from_db()
    return {"people": people, "memberships": roles, "name": world.theirs.name}


@pytest.mark.parametrize("label", sorted(label for label, page in PAGES.items() if not page.everybodys))
def test_an_action_on_a_foreign_row_touches_nothing(world: World, label: str) -> None:
    pk = world.id_of(PAGES[label].kind, ADMIN, OTHER)
    client = Client()
    client.cookies["sessionid"] = world.cookies[ADMIN]
    before = counts()
    for action in {"delete_selected", *ACTIONS.get(label, set())}:
        client.post(address(label, "changelist"), {"action": action, "_selected_action": [pk], "post": "yes"})
    assert counts() == before


# ---------------------------------------------------------------- written down
def test_a_change_in_the_console_is_in_the_audit_and_in_djangos_own_log(world: World) -> None:
    client = Client()
    client.cookies["sessionid"] = world.cookies[OWNER]
    form = {"name": "Renamed", "content_days": "", "event_hours": 12, "trace_days": 30, "usage_days": 30}
    client.post(address("accounts.Workspace", "change", str(world.ours.pk)), form)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.who, entry.workspace_id) == ("console.changed", "owner@example.com", world.ours.pk)
    assert entry.target == "workspace: Renamed"
    assert LogEntry.objects.count() == 1
    client.post(address("catalog.FallbackStep", "delete", world.id_of("fallback", OWNER, SAME)), {"post": "yes"})
    assert AuditEntry.objects.latest("pk").action == "console.removed"


def test_several_workspaces_are_seen_together_or_one_by_one(world: World) -> None:
    request = RequestFactory().get("/")
    request.user = world.people[SUPERUSER]
    page = REGISTERED["accounts.Membership"]
    assert len({row.workspace_id for row in page.get_queryset(request)}) == 2
    one = world.ask(SUPERUSER, "GET", f"{address('accounts.Membership', 'changelist')}?in={world.ours.pk}").text
    assert "somebody-in-ours" in one
    assert "somebody-in-theirs" not in one
