"""Files that go with a message: what is stored, what each vendor is sent, and what is refused before it leaves."""

import base64
import json
import uuid
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from accounts.problems import Problem
from catalog.models import LanguageModel
from chat import media, runs
from chat.models import Attachment, Conversation, Message, Run
from chat.protocol import Command
from tests.chat.docs import files
from tests.chat.docs.conftest import attach
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import make_conversation, read_all, stored
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
type Ready = Callable[..., Attachment]
PROVIDERS = ["openai", "anthropic", "gemini", "mistral", "openai_compatible"]


def model_of(provider_id: str, *, sees: bool = True) -> str:
    models = LanguageModel.objects.filter(provider_id=provider_id, sandbox=True).exclude(model_id__contains="embed")
    found = models.order_by("model_id")[0]
    LanguageModel.objects.filter(pk=found.pk).update(supports_vision=sees)
    return found.key


def send(actor: Actor, command: Command) -> Run:
    run = runs.start(actor, command)
    async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    return run


def sent_body(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.requests()[-1]["body"], ensure_ascii=False)


def bytes_of(attachment: Attachment) -> bytes:
    with attachment.file.open("rb") as file:
        return bytes(file.read())


@pytest.mark.parametrize("provider_id", PROVIDERS)
def test_each_vendor_gets_the_picture_and_the_document(
    running: Sandbox, alice: Actor, ready: Ready, provider_id: str
) -> None:
    picture = ready(alice, "photo.png", files.picture())
    document = ready(alice, "report.pdf", files.pdf(*files.PDF_PAGES))
    notes = ready(alice, "notes.docx", files.word("The flat has two rooms."))
    ids = (picture.pk, document.pk, notes.pk)
    run = send(alice, Command(text="What is this?", attachments=ids, model=model_of(provider_id)))
    assert (run.state, run.error) == ("done", {})
    body = sent_body(running)
    assert base64.b64encode(bytes_of(picture)).decode() in body
    if provider_id == "openai_compatible":
        assert "A deposit of 900 euros is held." in body
        assert "[p. 2]" in body
    else:
        assert base64.b64encode(bytes_of(document)).decode() in body
    assert "The flat has two rooms." in body
    assert "notes.docx" in body
    assert body.index("notes.docx") < body.index("What is this?")
    said = Message.objects.get(pk=run.answer_id).text
    assert "I received an image" in said


def test_the_message_names_its_files_and_the_conversation_has_them(
    running: Sandbox, alice: Actor, ready: Ready
) -> None:
    made = ready(alice, "report.pdf", files.pdf("One"))
    run = send(alice, Command(text="", attachments=(made.pk,), model=model_of("openai")))
    asked = Message.objects.get(conversation=run.conversation_id, role="user")
    assert asked.parts == [
        {
            "type": "attachment", "id": str(made.pk), "name": "report.pdf", "kind": "pdf",
            "media_type": "application/pdf", "size": made.size,
        }
    ]  # fmt: skip
    made.refresh_from_db()
    assert (made.conversation_id, made.sent_at is not None) == (run.conversation_id, True)
    assert Conversation.objects.get().title == "report.pdf"


def test_a_run_waits_for_a_file_that_is_still_being_read(running: Sandbox, alice: Actor) -> None:
    made = attach(alice, "report.pdf", files.pdf(*files.PDF_PAGES))
    run = send(alice, Command(text="Read it", attachments=(made.pk,), model=model_of("openai_compatible")))
    assert run.state == "done", run.error
    assert "A deposit of 900 euros" in sent_body(running)


def test_a_file_that_turns_out_unreadable_ends_the_run_in_words(running: Sandbox, alice: Actor) -> None:
    made = attach(alice, "locked.pdf", files.locked_pdf())
    run = send(alice, Command(text="Read it", attachments=(made.pk,), model=model_of("openai")))
    assert (run.state, run.error["code"], run.error["detail"]) == ("failed", "invalid_request", "attachments_unread")
    assert "protected by a password" in run.error["message"]


def test_a_model_that_is_not_known_to_see_gets_no_picture(running: Sandbox, alice: Actor, ready: Ready) -> None:
    made = ready(alice, "photo.png", files.picture())
    before = len(running.requests())
    run = send(alice, Command(text="Look", attachments=(made.pk,), model=model_of("openai", sees=False)))
    assert (run.state, run.error["code"], run.error["action"]) == ("failed", "invalid_request", "choose_model")
    assert "vision" in run.error["message"]
    assert len(running.requests()) == before
    assert run.trace["candidates"][0]["verdict"] == "lacks_vision"


def test_an_older_picture_never_breaks_a_model_that_cannot_see(running: Sandbox, alice: Actor, ready: Ready) -> None:
    made = ready(alice, "photo.png", files.picture())
    first = send(alice, Command(text="Look", attachments=(made.pk,), model=model_of("openai")))
    second = send(
        alice, Command(text="And now?", conversation_id=first.conversation_id, model=model_of("mistral", sees=False))
    )
    assert second.state == "done", second.error
    body = sent_body(running)
    assert "base64" not in body
    assert "The picture “photo.png” was attached here" in body


def test_regenerating_and_editing_keep_the_files(running: Sandbox, alice: Actor, ready: Ready) -> None:
    made = ready(alice, "notes.txt", b"The flat has two rooms.")
    model = model_of("openai")
    first = send(alice, Command(text="Read", attachments=(made.pk,), model=model))
    asked = Message.objects.get(conversation=first.conversation_id, role="user")
    again = send(alice, Command(conversation_id=first.conversation_id, answer_to=asked.pk))
    assert again.state == "done"
    assert "two rooms" in sent_body(running)
    edited = send(alice, Command(text="Read well", conversation_id=first.conversation_id, edits=asked.pk))
    assert edited.answer.parent.files == asked.files
    assert "two rooms" in sent_body(running)
    bare = send(alice, Command(text="No file", conversation_id=first.conversation_id, edits=asked.pk, attachments=()))
    assert bare.answer.parent.files == []
    assert "two rooms" not in sent_body(running)


# ---------------------------------------------------------------- refused before anything is stored
def refusal(actor: Actor, command: Command) -> str:
    before = (Message.objects.count(), Run.objects.count(), Attachment.objects.filter(sent_at=None).count())
    with pytest.raises(Problem) as refused:
        runs.start(actor, command)
    assert (Message.objects.count(), Run.objects.count(), Attachment.objects.filter(sent_at=None).count()) == before
    return refused.value.code


def test_a_foreign_file_equals_a_missing_one(alice: Actor, bob: Actor, charlie: Actor, ready: Ready) -> None:
    mine = ready(bob, "mine.txt", b"x")
    for theirs in (ready(alice, "a.txt", b"x").pk, ready(charlie, "c.txt", b"x").pk, uuid.uuid4()):
        assert refusal(bob, Command(text="Read", attachments=(mine.pk, theirs))) == "not_found"


def test_a_document_of_the_library_goes_with_no_message(alice: Actor, ready: Ready) -> None:
    made = ready(alice, "a.txt", b"x", purpose="document")
    assert refusal(alice, Command(text="Read", attachments=(made.pk,))) == "not_found"


def test_files_that_cannot_be_used_are_named(alice: Actor, ready: Ready) -> None:
    failed = attach(alice, "bad.pdf", b"%PDF-1.4 nothing")
    Attachment.objects.filter(pk=failed.pk).update(state="failed", error="damaged")
    assert refusal(alice, Command(text="Read", attachments=(failed.pk,))) == "attachment_failed"
    other = ready(alice, "a.txt", b"x")
    run = runs.start(alice, Command(text="Read", attachments=(other.pk,)))
    elsewhere = make_conversation(alice)
    command = Command(text="Read", attachments=(other.pk,), conversation_id=elsewhere.pk)
    assert refusal(alice, command) == "attachment_elsewhere"
    assert run.conversation_id != elsewhere.pk


def test_a_message_carries_ten_files_at_most(alice: Actor) -> None:
    ids = tuple(attach(alice, f"{number}.txt", b"x").pk for number in range(11))
    assert refusal(alice, Command(text="Read", attachments=ids)) == "too_many_files"


def test_the_api_takes_files_and_shows_them(running: Sandbox, alice: Actor, bob: Actor, ready: Ready) -> None:
    made = ready(alice, "notes.txt", b"Hello")
    body = {"input": "Read", "attachments": [str(made.pk)], "model": model_of("openai")}
    foreign = Client().post("/api/v1/runs/", body, content_type="application/json", headers=bearer(bob))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    accepted = Client().post("/api/v1/runs/", body, content_type="application/json", headers=bearer(alice))
    assert accepted.status_code == 202, accepted.content
    async_to_sync(read_all)(accepted.json()["stream_id"])
    path = f"/api/v1/conversations/{accepted.json()['conversation']}/messages/"
    asked = Client().get(path, headers=bearer(alice)).json()["results"][0]
    assert asked["parts"][1]["id"] == str(made.pk)
    gone = Client().delete(f"/api/v1/attachments/{made.pk}/", headers=bearer(alice))
    assert (gone.status_code, gone.json()["code"]) == (409, "attachment_sent")
    listed = f"/api/v1/attachments/?conversation={accepted.json()['conversation']}"
    assert [one["id"] for one in Client().get(listed, headers=bearer(alice)).json()["results"]] == [str(made.pk)]


# ---------------------------------------------------------------- how much one request carries
def test_pictures_that_do_not_fit_are_refused_in_words(
    running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ready(alice, "photo.png", files.picture())
    monkeypatch.setattr(media, "MOST_BYTES", made.size - 1)
    run = send(alice, Command(text="Look", attachments=(made.pk,), model=model_of("openai")))
    assert (run.error["code"], run.error["detail"]) == ("invalid_request", "attachments_too_large")


def test_a_document_that_does_not_fit_goes_as_text(
    running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ready(alice, "report.pdf", files.pdf(*files.PDF_PAGES))
    monkeypatch.setattr(media, "MOST_BYTES", made.size - 1)
    run = send(alice, Command(text="Read", attachments=(made.pk,), model=model_of("anthropic")))
    assert run.state == "done", run.error
    assert "[p. 2]\\nA deposit of 900 euros is held." in sent_body(running)


def test_files_longer_than_the_model_reads_are_refused_in_words(running: Sandbox, alice: Actor, ready: Ready) -> None:
    key = model_of("openai")
    LanguageModel.objects.filter(model_id=key.partition("/")[2]).update(context_window=100)
    made = ready(alice, "long.txt", b"word " * 1000)
    run = send(alice, Command(text="Read", attachments=(made.pk,), model=key))
    assert (run.error["code"], run.error["detail"]) == ("context_too_long", "attachments_too_long")
    assert "this model reads 100 at once" in run.error["message"]
    assert stored(run)[-1].event_type == "error"
