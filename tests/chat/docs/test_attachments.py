"""A file on its way in: judged at the door, read in the workshop, seen by its owner alone, gone when it should be."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem
from chat import attachments, conversations, leftovers
from chat.models import Attachment, AttachmentPage, Run
from chat.sniffing import shown_name, sniff
from tests.chat.docs import files
from tests.chat.docs.conftest import attach, read_all, upload
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import make_conversation

pytestmark = pytest.mark.django_db(transaction=True)
type Ready = Callable[..., Attachment]

GOOD: dict[str, tuple[Callable[[], bytes], str, str, int | None]] = {
    "photo.jpg": (lambda: files.picture("JPEG"), "image", "image/jpeg", None),
    "drawing.png": (files.picture, "image", "image/png", None),
    "report.pdf": (lambda: files.pdf(*files.PDF_PAGES), "pdf", "application/pdf", 3),
    "notes.md": (lambda: b"# Notes\n", "text", "text/markdown", 1),
    "table.csv": (lambda: b"a,b\n1,2\n", "text", "text/csv", 1),
    "data.json": (lambda: b'{"a": 1}', "text", "application/json", 1),
    "page.html": (lambda: b"<script>alert(1)</script>", "text", "text/plain", 1),
    "main.py": (lambda: b"print(1)\n", "text", "text/plain", 1),
    "lease.docx": (
        lambda: files.word("Hello"),
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        1,
    ),
    "rent.xlsx": (
        lambda: files.book(A=[[1]], B=[[2]]),
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        2,
    ),
    "talk.pptx": (
        lambda: files.deck("One"),
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        1,
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_stored_and_read(alice: Actor, name: str) -> None:
    make, kind, media_type, pages = GOOD[name]
    answer = upload(alice, name, make())
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["filename"], made["kind"], made["state"], made["error"]) == (name, kind, "uploaded", None)
    read_all()
    found = Client().get(f"/api/v1/attachments/{made['id']}/", headers=bearer(alice)).json()
    assert (found["state"], found["media_type"], found["page_count"]) == ("ready", media_type, pages)
    assert found["token_estimate"] > 0
    assert AttachmentPage.objects.filter(attachment=made["id"]).count() == (pages or 0)


REFUSED = {
    "nothing": ("empty.txt", b"", 422, "empty_file"),
    "blanks": ("blank.txt", b" \n\t", 422, "empty_file"),
    "a program": ("tool", b"\x7fELF\x02\x01\x01\0\0\0", 415, "unsupported_file"),
    "an old Word document": ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", 415, "unsupported_file"),
    "a ZIP": ("all.zip", b"PK\x03\x04\0\0\0\0nothing of ours", 415, "unsupported_file"),
    "HTML called PNG": ("page.png", b"<html><script>alert(1)</script>", 422, "wrong_extension"),
    "a PDF called text": ("report.txt", files.pdf("One"), 422, "wrong_extension"),
    "a picture called PDF": ("photo.pdf", files.picture(), 422, "wrong_extension"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_can_be_seen_at_once_is_refused_at_the_door(alice: Actor, what: str) -> None:
    name, data, status, code = REFUSED[what]
    answer = upload(alice, name, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Attachment.objects.exists()


def test_a_file_that_cannot_be_read_has_failed_and_says_what_to_do(alice: Actor) -> None:
    made = upload(alice, "locked.pdf", files.locked_pdf()).json()
    read_all()
    found = Client().get(f"/api/v1/attachments/{made['id']}/", headers=bearer(alice)).json()
    assert found["state"] == "failed"
    assert found["error"] == {"code": "encrypted", "message": "It is protected by a password. Save a copy without one."}


def test_a_file_that_is_too_large_is_refused(alice: Actor, settings: Any) -> None:
    settings.ATTACHMENT_BYTES = 1000
    answer = upload(alice, "long.txt", b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert upload(alice, "long.txt", b"x" * 1000).status_code == 201


def test_files_may_be_larger_than_other_requests_and_only_where_files_come_in(alice: Actor) -> None:
    large = b"x" * (3 * 1024 * 1024)
    assert upload(alice, "long.txt", large).status_code == 201
    elsewhere = Client().post("/api/v1/runs/", {"file": "x" * len(large)}, headers=bearer(alice))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (413, "body_too_large")


def test_a_member_may_store_so_much(alice: Actor, bob: Actor, settings: Any) -> None:
    settings.MEMBER_STORAGE_BYTES = 1000
    assert upload(alice, "a.txt", b"x" * 600).status_code == 201
    answer = upload(alice, "b.txt", b"x" * 600)
    assert (answer.status_code, answer.json()["code"]) == (413, "storage_full")
    assert upload(bob, "b.txt", b"x" * 600).status_code == 201


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\u202egnp.exe", "a gnp.exe"),
        ("tab\tand\nline.txt", "tab and line.txt"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 115 + "….pdf"),
    ],
)
def test_a_name_is_only_shown_and_shown_safely(alice: Actor, media: Path, given: str, shown: str) -> None:
    assert shown_name(given) == shown
    made = attach(alice, "kept.txt", b"Hello")
    assert made.file.path.startswith(str(media / "attachments"))
    assert "kept" not in made.file.name


def test_the_bytes_say_what_a_file_is() -> None:
    assert sniff(files.picture("WEBP"), "anything").media_type == "image/webp"
    assert sniff(b"junk\n" + files.pdf("One"), "scan").kind == "pdf"


# ---------------------------------------------------------------- who sees it
def test_somebody_elses_file_is_not_there(alice: Actor, bob: Actor, charlie: Actor, ready: Ready) -> None:
    made = ready(alice, "photo.png", files.picture())
    for other in (bob, charlie):
        for path in (f"/api/v1/attachments/{made.pk}/", f"/api/v1/attachments/{made.pk}/content/"):
            assert Client().get(path, headers=bearer(other)).status_code == 404
        assert Client().delete(f"/api/v1/attachments/{made.pk}/", headers=bearer(other)).status_code == 404
        assert Client().get("/api/v1/attachments/", headers=bearer(other)).json()["results"] == []
        assert upload(other, "x.txt", b"x", conversation=make_conversation(alice).pk).status_code == 404
    assert Attachment.objects.count() == 1


def test_pages_hide_a_foreign_file_too(alice: Actor, bob: Actor, ready: Ready, signed_in: Any) -> None:
    made = ready(alice, "photo.png", files.picture())
    client = signed_in(bob)
    for path in ("", "preview/"):
        assert client.get(f"/attachments/{made.pk}/{path}").status_code == 404
    assert client.post(f"/attachments/{made.pk}/remove/").status_code == 404
    assert signed_in(alice).get(f"/attachments/{made.pk}/").status_code == 200


def test_a_file_is_saved_and_never_shown(alice: Actor, ready: Ready, signed_in: Any) -> None:
    made = ready(alice, 'ev"il.html', b"<script>alert(1)</script>")
    for answer in (
        signed_in(alice).get(f"/attachments/{made.pk}/"),
        Client().get(f"/api/v1/attachments/{made.pk}/content/", headers=bearer(alice)),
    ):
        assert answer.content == b"<script>alert(1)</script>"
        assert answer["Content-Type"] == "text/plain"
        assert answer["Content-Disposition"] == 'attachment; filename="ev\\"il.html"'
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert signed_in(alice).get(f"/attachments/{made.pk}/preview/").status_code == 404


def test_a_preview_is_a_picture_of_ours(alice: Actor, ready: Ready, signed_in: Any) -> None:
    made = ready(alice, "photo.jpg", files.located_picture())
    answer = signed_in(alice).get(f"/attachments/{made.pk}/preview/")
    assert (answer["Content-Type"], answer["Content-Security-Policy"]) == ("image/jpeg", "sandbox; default-src 'none'")
    stored = signed_in(alice).get(f"/attachments/{made.pk}/").content
    assert b"Alice at home" not in answer.content + stored


# ---------------------------------------------------------------- the end of it
def stored_files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_an_unsent_file_can_be_removed_with_its_bytes(alice: Actor, media: Path, ready: Ready) -> None:
    made = ready(alice, "photo.png", files.picture())
    assert len(stored_files(media)) == 2
    assert Client().delete(f"/api/v1/attachments/{made.pk}/", headers=bearer(alice)).status_code == 204
    assert stored_files(media) == []


def test_deleting_a_conversation_deletes_its_files(alice: Actor, media: Path, ready: Ready) -> None:
    conversation = make_conversation(alice)
    made = ready(alice, "report.pdf", files.pdf("One"), conversation=conversation.pk)
    assert stored_files(media) == [Path(made.file.path)]
    conversations.delete(alice, conversation.pk)
    assert stored_files(media) == []
    assert not AttachmentPage.objects.exists()


def test_what_was_never_sent_goes_after_a_day(alice: Actor, media: Path) -> None:
    old, sent, new = (attach(alice, f"{name}.txt", b"Hello") for name in ("old", "sent", "new"))
    document = attach(alice, "kept.txt", b"Hello", purpose="document")
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk, document.pk]).update(created_at=yesterday)
    Attachment.objects.filter(pk=sent.pk).update(sent_at=yesterday)
    assert leftovers.purge() == (1, 0)
    assert set(Attachment.objects.values_list("filename", flat=True)) == {"sent.txt", "new.txt", "kept.txt"}
    assert not Path(old.file.path).exists()
    assert Path(new.file.path).exists()


def test_a_file_without_a_row_goes_after_a_day(alice: Actor, media: Path) -> None:
    kept = attach(alice, "a.txt", b"Hello")
    stray = Path(kept.file.path).with_name("f" * 32)
    stray.write_bytes(b"left behind")
    assert leftovers.purge() == (0, 0)
    for path in (stray, Path(kept.file.path)):
        os.utime(path, (1, 1))
    assert leftovers.purge() == (0, 1)
    assert stored_files(media) == [Path(kept.file.path)]


def test_too_many_drafts_are_refused(alice: Actor) -> None:
    for number in range(20):
        attach(alice, f"{number}.txt", b"x")
    with pytest.raises(Problem) as refused:
        attach(alice, "more.txt", b"x")
    assert refused.value.code == "too_many_files"


def keyed(actor: Actor, key: str, name: str, data: bytes, path: str = "attachments") -> Any:
    body = {"file": SimpleUploadedFile(name, data)}
    return Client().post(f"/api/v1/{path}/", body, headers={**bearer(actor), "Idempotency-Key": key})


@pytest.mark.parametrize("path", ["attachments", "documents"])
def test_the_same_upload_is_stored_once(alice: Actor, bob: Actor, path: str) -> None:
    first, again = (keyed(alice, "k-1", "note.txt", b"A lease is a promise.", path) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    assert Attachment.objects.count() == 1
    other = keyed(alice, "k-1", "note.txt", b"Something else.", path)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    elsewhere = "documents" if path == "attachments" else "attachments"
    assert keyed(alice, "k-1", "note.txt", b"A lease is a promise.", elsewhere).status_code == 409
    assert keyed(bob, "k-1", "note.txt", b"A lease is a promise.", path).json()["id"] != first.json()["id"]
    for _ in range(2):
        assert keyed(alice, "", "note.txt", b"A lease is a promise.", path).status_code == 201
    assert Attachment.objects.count() == 4
    assert keyed(alice, "k" * 121, "note.txt", b"x", path).json()["code"] == "invalid_idempotency_key"


@pytest.mark.django_db(transaction=True)
def test_the_same_upload_twice_at_one_moment_is_stored_once(
    alice: Actor, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked before either has stored."""
    both = threading.Barrier(2, timeout=20)
    looked = attachments._check_room

    def room(*given: Any) -> None:
        looked(*given)
        both.wait()

    def send() -> Any:
        try:
            return attach(alice, "note.txt", b"A lease is a promise.", key="k-1").pk
        finally:
            connection.close()

    monkeypatch.setattr(attachments, "_check_room", room)
    with ThreadPoolExecutor(2) as pool:
        found = [each.result() for each in [pool.submit(send), pool.submit(send)]]
    assert found[0] == found[1]
    assert Attachment.objects.count() == 1
    assert len([file for file in media.rglob("*") if file.is_file()]) == 1, "the loser's bytes are gone"


def test_a_form_with_files_that_is_sent_twice_is_one_message(alice: Actor, signed_in: Any) -> None:
    browser = signed_in(alice)
    for _ in range(2):
        file = SimpleUploadedFile("note.txt", b"A lease is a promise.")
        sent = browser.post(reverse("chat:new"), {"text": "Read this", "key": "form-1", "files": [file]})
        assert sent.status_code == 302, sent.content[:300]
    assert (Attachment.objects.count(), Run.objects.count()) == (1, 1)
