"""Moving away from a model that is leaving: only what is in reach, written down, and undone while it makes sense."""

from typing import Any

import pytest

from accounts.models import Role
from accounts.policies import Actor
from catalog import defaults
from catalog.models import ContextDefault, FallbackStep, LanguageModel, ModelAlias, ModelMigration
from chat.models import Conversation, Message, Run
from providers import credentials
from tests.catalog.worlds import NOW, model, store
from tests.factories import make_actor
from tests.providers.people import api_client, console_client, page_client

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
RETIRES = NOW.replace(year=2099)
MOVES = "/api/v1/model-migrations/"
JSON = "application/json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(alice: Actor, bob: Actor, charlie: Actor) -> dict[str, LanguageModel]:
    """`old` retires; it is named by two of bob's conversations, one of charlie's, and defaults of every level."""
    store(
        model(
            "openai/old", label="Old", lifecycle="retiring", retires_at=NOW.replace(year=2099), successor="openai/new"
        ),
        model("openai/new", label="New"),
    )
    found = {row.model_id: row for row in LanguageModel.objects.all()}
    for actor in (alice, charlie):
        credentials.save(actor, provider_id="openai", secret=KEY, shared=True)
    for actor in (bob, bob, charlie):
        Conversation.objects.create(workspace_id=actor.workspace_id, owner_id=actor.user_id, model="openai/old")
    Conversation.objects.create(workspace_id=bob.workspace_id, owner_id=bob.user_id, model="openai/new")
    defaults.set_own(bob, "chat", "openai/old")
    defaults.set_workspace(alice, "doc", "openai/old")
    defaults.set_workspace(charlie, "doc", "openai/old")
    ContextDefault.objects.create(context="chat", model=found["old"])
    for order, name in ((1, "old"), (2, "new")):
        FallbackStep.objects.create(workspace_id=alice.workspace_id, context="doc", order=order, model=found[name])
    FallbackStep.objects.create(workspace_id=alice.workspace_id, context="chat", order=1, model=found["old"])
    ModelAlias.objects.create(name="fast", target=found["old"], reason="x", workspace_id=alice.workspace_id)
    return found


def sticky(actor: Actor) -> list[str]:
    return sorted(Conversation.objects.filter(workspace_id=actor.workspace_id).values_list("model", flat=True))


def moved(client: Any, **over: str) -> Any:
    return client.post(MOVES, {"from_model": "openai/old", "to_model": "openai/new"} | over, JSON)


@pytest.mark.usefixtures("rows")
def test_an_administrator_sees_how_much_of_their_workspace_is_affected(alice: Actor, bob: Actor) -> None:
    (told,) = api_client(alice, ("policy",)).get("/api/v1/models/leaving/").json()["results"]
    assert (told["key"], told["lifecycle"], told["successor"]) == ("openai/old", "retiring", "openai/new")
    assert told["affected"] == {
        "own_defaults": 1,
        "workspace_defaults": 1,
        "installation_defaults": 0,
        "fallback_steps": 2,
        "aliases": 1,
        "conversations": 2,
    }
    assert api_client(bob, ("policy",)).get("/api/v1/models/leaving/").status_code == 403


@pytest.mark.usefixtures("rows")
def test_a_move_reaches_one_s_own_workspace_and_nothing_else(alice: Actor, charlie: Actor) -> None:
    made = moved(api_client(alice, ("policy",)))
    assert made.status_code == 201, made.content
    assert made.json()["counts"] == {
        "own_defaults": 1,
        "workspace_defaults": 1,
        "installation_defaults": 0,
        "fallback_steps": 1,  # the chain that holds the new one already keeps its step
        "aliases": 1,
        "conversations": 2,
    }
    assert sticky(alice) == ["openai/new", "openai/new", "openai/new"]
    assert sticky(charlie) == ["openai/old"]
    levels = {
        (row.workspace_id, row.user_id): row.model.model_id
        for row in ContextDefault.objects.select_related("model").order_by("pk")
    }
    assert levels[None, None] == "old"
    assert levels[charlie.workspace_id, None] == "old"
    assert sorted(levels.values()) == ["new", "new", "old", "old"]
    row = ModelMigration.objects.get()
    assert (row.made_by_id, row.workspace_id) == (alice.user_id, alice.workspace_id)


@pytest.mark.usefixtures("rows")
def test_history_stays_as_it_is(alice: Actor, bob: Actor) -> None:
    conversation = Conversation.objects.filter(owner_id=bob.user_id, model="openai/old").first()
    assert conversation is not None
    answer = Message.objects.create(conversation=conversation, role="assistant", parts=[{"type": "text", "text": "Hi"}])
    run = Run.objects.create(
        stream_id=answer.pk,
        workspace_id=bob.workspace_id,
        user_id=bob.user_id,
        conversation=conversation,
        answer=answer,
        branch=conversation.pk,
        state="done",
        requested_model="openai/old",
        served_model="openai/old",
        trace={"candidates": [{"model": "openai/old"}]},
    )
    before = Run.objects.filter(pk=run.pk).values().get(), Message.objects.filter(pk=answer.pk).values().get()
    assert moved(api_client(alice, ("policy",))).status_code == 201
    after = Run.objects.filter(pk=run.pk).values().get(), Message.objects.filter(pk=answer.pk).values().get()
    assert before == after


@pytest.mark.usefixtures("rows")
def test_taking_it_back_leaves_what_somebody_chose_since(alice: Actor, bob: Actor, charlie: Actor) -> None:
    client = api_client(alice, ("policy",))
    address = f"{MOVES}{moved(client).json()['id']}/undo/"
    since = Conversation.objects.filter(owner_id=bob.user_id, model="openai/new").order_by("created_at")[0]
    Conversation.objects.filter(pk=since.pk).update(model="")
    assert api_client(charlie, ("policy",)).post(address).status_code == 404
    assert api_client(bob, ("policy",)).post(address).status_code == 403
    done = client.post(address)
    assert (done.status_code, bool(done.json()["undone_at"])) == (200, True)
    assert sticky(alice) == ["", "openai/new", "openai/old"]
    assert defaults.get(bob, "chat")["user"] == "openai/old"
    assert ModelAlias.objects.get().target.model_id == "old"
    assert client.post(address).status_code == 409


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("body", [{"to_model": "openai/old"}, {"to_model": "openai/nobody"}, {"from_model": "x"}])
def test_a_move_to_nowhere_moves_nothing(alice: Actor, body: dict[str, str]) -> None:
    assert moved(api_client(alice, ("policy",)), **body).status_code == 422
    assert (ModelMigration.objects.count(), sticky(alice).count("openai/old")) == (0, 2)


# ---------------------------------------------------------------- the console
def test_in_the_console_an_administrator_moves_their_own_workspace(
    alice: Actor, bob: Actor, charlie: Actor, rows: dict[str, LanguageModel]
) -> None:
    address = f"/admin/catalog/languagemodel/{rows['old'].pk}/move/"
    client = console_client(alice)
    page = client.get(address).content.decode()
    assert "Elsewhere" not in page
    assert "The whole installation" not in page
    for place in (charlie.workspace_id, "all"):
        assert client.post(address, {"to_model": rows["new"].pk, "workspace": str(place)}).status_code == 200
    assert not ModelMigration.objects.exists()
    assert client.post(address, {"to_model": rows["new"].pk, "workspace": str(alice.workspace_id)}).status_code == 302
    assert (sticky(alice), sticky(charlie)) == (["openai/new"] * 3, ["openai/old"])
    made = ModelMigration.objects.get()
    undo = {"action": "undo", "_selected_action": [made.pk]}
    console_client(charlie).post("/admin/catalog/modelmigration/", undo)
    assert ModelMigration.objects.get().undone_at is None
    client.post("/admin/catalog/modelmigration/", undo)
    assert ModelMigration.objects.get().undone_by_id == alice.user_id
    assert sticky(alice) == ["openai/new", "openai/old", "openai/old"]
    assert console_client(bob).get(address).status_code in {302, 403}


def test_a_superuser_moves_the_whole_installation(alice: Actor, charlie: Actor, rows: dict[str, LanguageModel]) -> None:
    client = console_client(make_actor("root@example.com", None, Role.OWNER), superuser=True)
    address = f"/admin/catalog/languagemodel/{rows['old'].pk}/move/"
    assert client.post(address, {"to_model": rows["new"].pk, "workspace": "all"}).status_code == 302
    assert sticky(alice) + sticky(charlie) == ["openai/new"] * 4
    assert not ContextDefault.objects.exclude(model=rows["new"]).exists()


def test_a_superuser_says_what_is_known_better(alice: Actor, rows: dict[str, LanguageModel]) -> None:
    address = f"/admin/catalog/languagemodel/{rows['new'].pk}/change/"
    said = {"vision": "partial", "limits": "Four images at most.", "price_input": "2", "price_output": "10"}
    assert console_client(alice).post(address, said).status_code == 403
    client = console_client(make_actor("root@example.com", None, Role.OWNER), superuser=True)
    assert client.post(address, {"vision": "partial"}).status_code == 200, "its limits are not said"
    assert client.post(address, said).status_code == 302
    row = LanguageModel.objects.get(model_id="new")
    assert (row.supports_vision, row.evidence["vision"]["source"], row.evidence["vision"]["limits"]) == (
        True,
        "administrator",
        "Four images at most.",
    )
    assert row.prices == [{"input": "2", "output": "10"}]
    assert client.post(address, {}).status_code == 302
    assert LanguageModel.objects.get(model_id="new").supports_vision is None


# ---------------------------------------------------------------- the pages
@pytest.mark.usefixtures("rows")
def test_a_conversation_says_that_its_model_leaves_and_offers_the_switch(bob: Actor) -> None:
    conversation = Conversation.objects.filter(owner_id=bob.user_id, model="openai/old").first()
    assert conversation is not None
    client = page_client(bob)
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert "Old: Retiring 22 Nov 2099." in page
    assert "Switch to New" in page
    assert "Retiring 22 Nov 2099, successor New" in page
    client.post(f"/c/{conversation.pk}/model/", {"model": "openai/new"})
    assert "Switch to New" not in client.get(f"/c/{conversation.pk}/").content.decode()


@pytest.mark.usefixtures("rows")
def test_the_models_page_finds_by_name_and_ability_and_tells_whether_one_may(alice: Actor, bob: Actor) -> None:
    client = page_client(bob)
    page = client.get("/models/").content.decode()
    assert "Workspace key" in page
    assert "2 models" in page
    assert "1 model found" in client.get("/models/", {"q": "new"}).content.decode()
    assert "No model matches." in client.get("/models/", {"q": "zebra"}).content.decode()


@pytest.mark.usefixtures("rows")
def test_one_model_s_page_tells_who_says_what_and_why_it_answers(bob: Actor, charlie: Actor) -> None:
    store(model("openai/of-charlie", shared=False))
    page = page_client(bob).get("/models/openai/old/").content.decode()
    assert "Nobody has said" in page
    assert "Parley asks every model for a stream" in page
    assert "openai/old, you named it" in page
    assert page_client(bob).get("/models/openai/nobody/").status_code == 404


@pytest.mark.usefixtures("rows")
def test_a_member_chooses_defaults_on_the_settings_page(alice: Actor, bob: Actor) -> None:
    client = page_client(bob)
    page = client.get("/settings/models/").content.decode()
    assert "openai/old answers: your default" in page
    chosen = {"context": "chat", "level": "own", "model": "openai/new"}
    assert client.post("/settings/models/", chosen).status_code == 302
    assert defaults.get(bob, "chat")["user"] == "openai/new"
    assert client.post("/settings/models/", chosen | {"level": "workspace"}).status_code == 403
    assert page_client(alice).post("/settings/models/", chosen | {"level": "workspace"}).status_code == 302
    assert client.post("/settings/models/", chosen | {"model": "openai/nobody"}).status_code == 422
