"""The pages without script: files come with the message, a refused one loses nothing, a document is asked about."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import documents
from chat.documents import Asking
from chat.models import Attachment, Conversation, Message, Run
from chat.render.citations import Cited
from chat.render.markdown import render
from chat.render.sanitizer import sanitize
from chat.viewing import frames_of, open_stream
from tests.chat.docs import files
from tests.chat.docs.conftest import attach
from tests.chat.engine.rows import make_conversation, read_all
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
type SignIn = Callable[[Actor], Client]
type Ready = Callable[..., Attachment]


def file(name: str = "notes.txt", data: bytes = b"The flat has two rooms.") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_a_message_and_its_files_go_in_one_form(running: Sandbox, alice: Actor, signed_in: SignIn) -> None:
    client = signed_in(alice)
    answer = client.post("/", {"text": "Read", "files": [file(), file("more.txt", b"And a garden.")]})
    assert answer.status_code == 302, answer.content
    run = Run.objects.get()
    async_to_sync(read_all)(run.stream_id)
    page = client.get(answer["Location"]).content.decode()
    assert "notes.txt" in page
    assert "more.txt" in page
    assert re.findall(r'href="(/attachments/[0-9a-f-]{36}/)" download', page) == [
        f"/attachments/{each}/" for each in Attachment.objects.values_list("pk", flat=True)
    ]


def test_a_picture_is_shown_small(running: Sandbox, alice: Actor, signed_in: SignIn, ready: Ready) -> None:
    LanguageModel.objects.update(supports_vision=True)
    made = ready(alice, "photo.png", files.picture())
    client = signed_in(alice)
    answer = client.post("/", {"text": "", "attachments": [made.pk]})
    async_to_sync(read_all)(Run.objects.get().stream_id)
    page = client.get(answer["Location"]).content.decode()
    assert f'<img src="/attachments/{made.pk}/preview/" alt="" loading="lazy">' in page


def test_a_refused_file_loses_neither_the_message_nor_the_other_file(
    upstream: Sandbox, alice: Actor, signed_in: SignIn
) -> None:
    answer = signed_in(alice).post("/", {"text": "Read these", "files": [file(), file("tool", b"\x7fELF\0\0")]})
    page = answer.content.decode()
    assert answer.status_code == 415
    assert "“tool” cannot be read here." in page
    assert "Read these</textarea>" in page
    kept = Attachment.objects.get()
    assert f'name="attachments" value="{kept.pk}"' in page
    assert not Message.objects.exists()


def test_what_waits_in_a_box_is_there_after_a_reload_and_can_be_taken_out(
    alice: Actor, bob: Actor, signed_in: SignIn, ready: Ready
) -> None:
    conversation = make_conversation(alice)
    here = ready(alice, "here.txt", b"x", conversation=conversation.pk)
    elsewhere = ready(alice, "elsewhere.txt", b"x")
    ready(bob, "theirs.txt", b"x")
    client = signed_in(alice)
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert ("here.txt" in page, "elsewhere.txt" in page, "theirs.txt" in page) == (True, False, False)
    assert "elsewhere.txt" in client.get("/").content.decode()
    assert client.post(f"/attachments/{here.pk}/remove/")["Location"] == f"/c/{conversation.pk}/"
    assert list(Attachment.objects.filter(owner_id=alice.user_id)) == [elsewhere]


def test_a_failed_file_says_why_and_is_not_sent(alice: Actor, signed_in: SignIn) -> None:
    made = attach(alice, "bad.pdf", files.pdf("x"))
    Attachment.objects.update(state="failed", error="damaged", error_detail="It is damaged.")
    page = signed_in(alice).get("/").content.decode()
    assert "It is damaged." in page
    assert f'value="{made.pk}"' not in page


def test_editing_brings_the_files_along(running: Sandbox, alice: Actor, signed_in: SignIn, ready: Ready) -> None:
    made = ready(alice, "notes.txt", b"x")
    client = signed_in(alice)
    client.post("/", {"text": "Read", "attachments": [made.pk]})
    async_to_sync(read_all)(Run.objects.get().stream_id)
    conversation = Conversation.objects.get()
    asked = Message.objects.get(role="user")
    page = client.get(f"/c/{conversation.pk}/?edit={asked.pk}").content.decode()
    assert f'name="attachments" value="{made.pk}"' in page


def test_a_conversation_with_files_takes_no_more_queries(
    alice: Actor,
    model: LanguageModel,
    signed_in: SignIn,
    ready: Ready,
    settings: Any,
    django_assert_max_num_queries: Any,
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    conversation = make_conversation(alice)
    for number in range(4):
        ready(alice, f"{number}.txt", b"x", conversation=conversation.pk)
    client = signed_in(alice)
    client.get("/models/")  # the catalog is in memory, until somebody changes it
    with django_assert_max_num_queries(12):
        client.get(f"/c/{conversation.pk}/")


# ---------------------------------------------------------------- documents
def test_a_document_is_added_read_and_asked_about(
    running: Sandbox, alice: Actor, signed_in: SignIn, ready: Ready
) -> None:
    client = signed_in(alice)
    assert "No documents yet." in client.get("/documents/").content.decode()
    added = client.post("/documents/", {"files": [file("lease.pdf", files.pdf(*files.PDF_PAGES))]})
    ready(alice, "other.txt", b"x", purpose="document")
    document = Attachment.objects.get(filename="lease.pdf")
    assert added["Location"] == f"/documents/{document.pk}/"
    asked = client.post(added["Location"], {"task": "question", "question": "How high is the deposit?"})
    run = Run.objects.get()
    assert asked["Location"] == f"/documents/{document.pk}/#m-{run.stream_id}"
    async_to_sync(read_all)(run.stream_id)
    page = client.get(added["Location"]).content.decode()
    assert "How high is the deposit?" in page
    assert f'<a href="/documents/{document.pk}/pages/2/" title="Page 2 of the document"' in page
    assert "All 3 pages were sent." in page
    text = client.get(f"/documents/{document.pk}/pages/2/").content.decode()
    assert "A deposit of 900 euros is held." in text
    again = client.post(f"/documents/{document.pk}/act/", {"do": f"again:{run.pk}", "key": "k"})
    assert again.status_code == 302
    assert Run.objects.count() == 2
    async_to_sync(read_all)(Run.objects.latest("created_at").stream_id)


def test_a_question_that_cannot_be_asked_is_kept(alice: Actor, signed_in: SignIn, ready: Ready) -> None:
    made = ready(alice, "a.txt", b"Hello", purpose="document")
    answer = signed_in(alice).post(f"/documents/{made.pk}/", {"task": "question", "question": "x" * 8001})
    assert answer.status_code == 413
    assert "x" * 8001 + "</textarea>" in answer.content.decode()
    assert signed_in(alice).post("/documents/").status_code == 422


def test_a_stream_about_a_document_is_drawn_like_an_answer(
    running: Sandbox, alice: Actor, bob: Actor, ready: Ready
) -> None:
    made = ready(alice, "lease.pdf", files.pdf(*files.PDF_PAGES), purpose="document")
    run = documents.start(alice, made.pk, Asking("question", "How high is the deposit?"))
    async_to_sync(read_all)(run.stream_id)
    assert open_stream(bob, run.stream_id) is None
    opened = open_stream(alice, run.stream_id)
    assert opened is not None

    async def frames() -> list[dict[str, Any]]:
        return [frame async for group in frames_of(opened, 0) for frame in group]

    first, *_, last = async_to_sync(frames)()
    assert f"/documents/{made.pk}/pages/2/" in first["h"]
    assert "All 3 pages were sent." in first["h"]
    assert (last["t"], last["state"]) == ("end", "done")
    assert f"again:{run.pk}" in last["tools"]


def test_foreign_documents_are_not_there(alice: Actor, bob: Actor, signed_in: SignIn, ready: Ready) -> None:
    made = ready(alice, "a.txt", b"Hello", purpose="document")
    client = signed_in(bob)
    for path in ("", "file/", "pages/1/"):
        assert client.get(f"/documents/{made.pk}/{path}").status_code == 404
    for path in ("", "act/", "delete/"):
        assert client.post(f"/documents/{made.pk}/{path}", {"task": "summary"}).status_code == 404
    assert "a.txt" not in client.get("/documents/").content.decode()
    assert signed_in(alice).get(f"/documents/{made.pk}/pages/2/").status_code == 404


def test_deleting_a_document_says_so(alice: Actor, signed_in: SignIn, ready: Ready) -> None:
    made = ready(alice, "a.txt", b"Hello", purpose="document")
    client = signed_in(alice)
    assert client.post(f"/documents/{made.pk}/delete/")["Location"] == "/documents/"
    assert "Deleted “a.txt”" in client.get("/documents/").content.decode()


# ---------------------------------------------------------------- citations
CITED = Cited("/documents/d/pages/", 12)


def test_named_pages_are_links_and_nothing_else_of_ours_is() -> None:
    html = render("One [p. 3][p. 4], two [p.12].", CITED)
    assert re.findall(r'href="([^"]+)"', html) == [f"/documents/d/pages/{number}/" for number in (3, 4, 12)]
    for text in ("[p. 13]", "[p. 0]", "`[p. 3]`", "[away](/accounts/logout/)", "[up](/documents/d/pages/3/../../x/)"):
        assert "href" not in render(text, CITED), text
    assert "href" not in render("[p. 3]")
    assert 'href="https://example.com/"' in render("[out](https://example.com/)", CITED)


@pytest.mark.parametrize(
    "address", ["/accounts/logout/", "//example.com/", "/documents/d/pages/3/../x/", "/documents/d/pages//"]
)
def test_the_last_gate_knows_only_the_documents_own_pages(address: str) -> None:
    assert "href" not in sanitize(f'<a href="{address}">x</a>', CITED)
    assert 'href="/documents/d/pages/3/"' in sanitize('<a href="/documents/d/pages/3/">x</a>', CITED)
