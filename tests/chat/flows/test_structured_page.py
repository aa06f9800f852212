"""The structured page without script: a form, a run that is shown, and nothing lost on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from chat import outputs, structured
from chat.models import Run
from chat.structured import Asking
from chat.structured_forms import EXAMPLES, StructuredForm, example_of
from chat.viewing import frames_of, open_stream
from tests.chat.engine.rows import read_all
from tests.chat.flows.conftest import CONTACT, IMPOSSIBLE
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
type SignIn = Callable[[Actor], Client]


def fields(schema: Any = CONTACT, said: str = "Who is Ada?") -> dict[str, str]:
    return {"schema": outputs.shown(schema), "input": said, "model": "", "key": ""}


def result_page(client: Client, posted: dict[str, str]) -> str:
    answer = client.post("/structured/", posted)
    assert answer.status_code == 302, answer.content
    run = Run.objects.get()
    assert answer["Location"] == f"/structured/{run.pk}/#output"
    async_to_sync(read_all)(run.stream_id)
    return client.get(answer["Location"]).content.decode()


def test_the_page_begins_with_an_example_and_is_linked(alice: Actor, signed_in: SignIn) -> None:
    client = signed_in(alice)
    page = client.get("/structured/").content.decode()
    assert "Ada Lovelace" in page
    assert all(label in page for label, _, _ in EXAMPLES.values())
    assert 'href="/structured/"' in client.get("/").content.decode()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_asked(name: str) -> None:
    form = StructuredForm(example_of(name))
    assert form.is_valid(), form.errors


def test_a_value_is_shown_with_its_mark(running: Sandbox, alice: Actor, signed_in: SignIn) -> None:
    page = result_page(signed_in(alice), fields())
    assert "The output fits the schema." in page
    assert "&quot;age&quot;" in page or "age" in page
    assert '<figure class="code">' in page
    assert "Who is Ada?" in page


def test_an_invalid_output_is_shown_with_path_and_reason(running: Sandbox, alice: Actor, signed_in: SignIn) -> None:
    page = result_page(signed_in(alice), fields(IMPOSSIBLE))
    assert "does not fit the schema, in 2 tries" in page
    assert "<code>/code</code>" in page
    assert "Corrected output as it came" in page


def test_a_broken_schema_is_marked_at_its_field_and_nothing_is_lost(alice: Actor, signed_in: SignIn) -> None:
    client = signed_in(alice)
    for schema, says in (
        ('{\n  "type": "object",,\n}', "line 2, column 20"),
        ('{\n  "properties": {\n    "a": {"type": "strnig"}\n  }\n}', "/properties/a/type, line 3, column 19"),
    ):
        answer = client.post("/structured/", fields() | {"schema": schema, "input": "Keep <me>"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert says in page
        assert 'aria-invalid="true" aria-describedby="schema-error"' in page
        assert "Keep &lt;me&gt;" in page
        assert "strnig" in page or ",,\n" in page
    assert not Run.objects.exists()


def test_an_example_keeps_what_was_written(alice: Actor, signed_in: SignIn) -> None:
    page = signed_in(alice).post("/structured/", fields(said="My own words") | {"example": "invoice"}).content.decode()
    assert "My own words" in page
    assert "currency" in page


def test_an_unknown_model_is_refused_with_the_words_kept(alice: Actor, signed_in: SignIn) -> None:
    answer = signed_in(alice).post("/structured/", fields() | {"model": "openai/none"})
    assert answer.status_code == 422
    assert "There is no such model." in answer.content.decode()


def test_a_running_one_can_be_refreshed_and_stopped(alice: Actor, signed_in: SignIn) -> None:
    run = structured.start(alice, Asking((("user", "Who?"),), CONTACT))
    client = signed_in(alice)
    page = client.get(f"/structured/{run.pk}/").content.decode()
    assert f'<structured-run class="stack" stream="{run.stream_id}">' in page
    assert "Refresh</a>" in page
    stopped = client.post(f"/structured/{run.pk}/stop/", follow=True).content.decode()
    assert "You stopped this run." in stopped


def test_a_foreign_run_is_not_there(alice: Actor, bob: Actor, signed_in: SignIn) -> None:
    run = structured.start(alice, Asking((("user", "Who?"),), CONTACT))
    client = signed_in(bob)
    assert client.get(f"/structured/{run.pk}/").status_code == 404
    assert client.post(f"/structured/{run.pk}/stop/").status_code == 404
    assert open_stream(bob, run.stream_id) is None


def test_a_viewer_is_sent_code_as_it_grows_and_the_value_at_the_end(running: Sandbox, alice: Actor) -> None:
    run = structured.start(alice, Asking((("user", "/tokens 30"),), CONTACT))

    async def watch() -> list[dict[str, Any]]:
        from chat.database import in_db

        opened = await in_db(open_stream, alice, run.stream_id)
        assert opened is not None
        return [frame async for group in frames_of(opened, 0) for frame in group]

    frames = async_to_sync(watch)()
    assert frames[0]["t"] == "s"
    assert {frame["t"] for frame in frames} <= {"s", "st", "x", "a", "end"}
    assert "Valid" in frames[-1]["tools"]
    assert "Output as it came" in frames[-1]["tools"], "the first try is kept beside the corrected one"
