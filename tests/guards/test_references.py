"""Ids inside of what is sent reach no further than those in an address."""

from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache

from project.docs import document
from tests.guards.authorization.references import NOBODYS, PREFIXES, REFERENCES, Reference
from tests.guards.authorization.rules import ADMIN, DELETED, MEMBER, OTHER, OWN, OWNER, SAME
from tests.guards.authorization.world import World, make_world, path_of
from tests.guards.test_authorization import ROUTES


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return make_world()


def counts() -> dict[str, int]:
    ours = [
        model
        for name in ("accounts", "providers", "catalog", "chat")
        for model in apps.get_app_config(name).get_models()
    ]
    return {model._meta.label: model._default_manager.count() for model in ours}


def asked(world: World, role: str, one: Reference, place: str) -> Any:
    """The answer to a body that names the thing in that place; None when there is no such thing."""
    pk = world.id_of(one.kind, role, place)
    if pk is None:
        return None
    here = world.id_of(one.own, role, OWN) if one.own else None
    named = {one.field: [pk] if one.several else PREFIXES.get(one.field, "") + pk}
    return world.ask(role, "POST", path_of(ROUTES[one.name], here), {**one.body, **named})


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.name} {one.field} {one.kind}")
def test_anothers_is_refused_as_a_missing_one_is_and_changes_nothing(world: World, one: Reference) -> None:
    before = counts()
    for role in (MEMBER, ADMIN, OWNER):
        missing = asked(world, role, one, DELETED)
        places = (OTHER,) if one.kind in world.common else (OTHER, SAME)
        for place in places:
            foreign = asked(world, role, one, place)
            assert foreign.status_code == missing.status_code, (role, place)
            assert foreign.status_code in {400, 404, 422}, (role, place)
            if foreign.status_code == 404:
                assert foreign.content == missing.content, (role, place)
    assert counts() == before


def test_every_id_that_the_api_takes_in_a_body_is_in_the_table() -> None:
    known = {one.field for one in REFERENCES} | set(NOBODYS)
    schemas = document()["components"]["schemas"]
    taken = set()
    for path in document()["paths"].values():
        for operation in path.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = schemas.get(name, {}).get("properties", {})
            taken |= {field for field, said in fields.items() if said.get("format") == "uuid" or "uuid" in str(said)}
    assert len(taken) >= 5
    assert taken - known == set()
