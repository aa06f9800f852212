"""Specialists in the console, as alice (owner), bob (member) and charlie (owner of another workspace)."""

from typing import Any

import pytest

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat.models import Specialist
from tests.catalog.worlds import model, store
from tests.providers.people import console_client

PLACE = "/admin/chat/specialist/"

pytestmark = pytest.mark.django_db


def written(actor: Actor, **over: Any) -> dict[str, Any]:
    values = {"workspace": str(actor.workspace_id), "name": "Lawyer", "slug": "lawyer", "description": "Contracts."}
    return values | {"instructions": "Be exact.", "tools": "clock\n\n search ", "enabled": "on", "order": "1"} | over


def test_an_administrator_configures_the_specialists_of_their_workspace(alice: Actor, charlie: Actor) -> None:
    store(model("openai/a", label="Model A"), model("openai/hidden", label="Hidden", shared=False))
    shown, hidden = (LanguageModel.objects.get(model_id=name) for name in ("a", "hidden"))
    client = console_client(alice)
    assert client.post(f"{PLACE}add/", written(alice, model=shown.pk)).status_code == 302
    for forged in (
        written(charlie, slug="other"),
        written(alice, slug="other", model=hidden.pk),
        written(alice, slug="Not one!"),
        written(alice),
    ):
        assert client.post(f"{PLACE}add/", forged).status_code == 200
    row = Specialist.objects.get()
    assert (row.workspace_id, row.model_id, row.tools) == (alice.workspace_id, shown.pk, ["clock", "search"])


def test_examples_are_added_to_one_s_own_workspaces(alice: Actor, charlie: Actor) -> None:
    client = console_client(alice)
    assert "Add examples" in client.get(PLACE).content.decode()
    assert client.get(f"{PLACE}examples/").status_code == 403
    for _ in range(2):
        assert client.post(f"{PLACE}examples/").status_code == 302
    assert [row.slug for row in Specialist.objects.all()] == ["researcher", "writer", "reviewer"]
    assert set(Specialist.objects.values_list("workspace_id", flat=True)) == {alice.workspace_id}


def test_other_workspaces_specialists_are_not_there(alice: Actor, bob: Actor, charlie: Actor) -> None:
    row = Specialist.objects.create(workspace_id=charlie.workspace_id, name="Theirs", slug="theirs", description="x")
    client = console_client(alice)
    assert "0 specialists" in client.get(PLACE).content.decode()
    for verb in ("change", "delete"):
        client.post(f"{PLACE}{row.pk}/{verb}/", written(alice) | {"post": "yes"})
    assert Specialist.objects.get().name == "Theirs"
    assert console_client(bob).post(f"{PLACE}examples/").status_code in {302, 403}
    assert Specialist.objects.count() == 1
