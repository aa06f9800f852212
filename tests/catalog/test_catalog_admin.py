"""The catalog in the console, as alice (owner), bob (member) and charlie (owner of another workspace)."""

from typing import Any

import pytest

from accounts.models import Role
from accounts.policies import Actor
from catalog.models import ContextDefault, LanguageModel
from tests.catalog.worlds import model, store
from tests.factories import make_actor
from tests.providers.people import console_client

MODELS = "/admin/catalog/languagemodel/"
DEFAULTS = "/admin/catalog/contextdefault/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> dict[str, LanguageModel]:
    store(model("openai/a", label="Model A"), model("openai/hidden", label="Hidden", shared=False))
    return {row.model_id: row for row in LanguageModel.objects.all()}


def chosen(row: LanguageModel, workspace_id: Any = "") -> dict[str, str]:
    return {"context": "chat", "workspace": str(workspace_id), "model": str(row.pk)}


def test_models_are_looked_at_and_not_edited(alice: Actor, catalog: dict[str, LanguageModel]) -> None:
    client = console_client(alice)
    page = client.get(MODELS).content.decode()
    assert "Model A" in page
    assert "Hidden" not in page
    row = catalog["a"]
    assert client.get(f"{MODELS}{row.pk}/change/").status_code == 200
    for address in (f"{MODELS}add/", f"{MODELS}{row.pk}/change/", f"{MODELS}{row.pk}/delete/"):
        assert client.post(address, {"label": "Forged", "post": "yes"}).status_code == 403
    assert LanguageModel.objects.get(pk=row.pk).label == "Model A"


def test_an_administrator_sets_the_defaults_of_their_workspace(
    alice: Actor, charlie: Actor, catalog: dict[str, LanguageModel]
) -> None:
    client = console_client(alice)
    assert client.post(f"{DEFAULTS}add/", chosen(catalog["a"], alice.workspace_id)).status_code == 302
    for forged in (
        chosen(catalog["a"], charlie.workspace_id),
        chosen(catalog["a"]),
        chosen(catalog["hidden"], alice.workspace_id),
    ):
        assert client.post(f"{DEFAULTS}add/", forged).status_code == 200
    row = ContextDefault.objects.get()
    assert (row.workspace_id, row.user_id, row.model_id) == (alice.workspace_id, None, catalog["a"].pk)


def test_other_workspaces_and_other_people_s_defaults_are_not_there(
    alice: Actor, bob: Actor, charlie: Actor, catalog: dict[str, LanguageModel]
) -> None:
    rows = [
        ContextDefault.objects.create(context="chat", workspace_id=charlie.workspace_id, model=catalog["a"]),
        ContextDefault.objects.create(context="chat", model=catalog["a"]),
        ContextDefault.objects.create(
            context="chat", workspace_id=alice.workspace_id, user_id=bob.user_id, model=catalog["a"]
        ),
    ]
    client = console_client(alice)
    assert "0 context defaults" in client.get(DEFAULTS).content.decode()
    for row in rows:
        for verb in ("change", "delete"):
            client.post(f"{DEFAULTS}{row.pk}/{verb}/", chosen(catalog["a"], alice.workspace_id) | {"post": "yes"})
    assert [(one.workspace_id, one.user_id) for one in ContextDefault.objects.order_by("pk")] == [
        (one.workspace_id, one.user_id) for one in rows
    ]


def test_a_superuser_sets_the_installation_s_default(catalog: dict[str, LanguageModel]) -> None:
    client = console_client(make_actor("root@example.com", None, Role.OWNER), superuser=True)
    assert "Hidden" in client.get(MODELS).content.decode()
    assert client.post(f"{DEFAULTS}add/", chosen(catalog["a"])).status_code == 302
    assert ContextDefault.objects.get().workspace_id is None


def test_a_member_does_not_get_in(bob: Actor, catalog: dict[str, LanguageModel]) -> None:
    client = console_client(bob)
    for address in (MODELS, DEFAULTS, f"{DEFAULTS}add/"):
        assert client.get(address).status_code in {302, 403}
