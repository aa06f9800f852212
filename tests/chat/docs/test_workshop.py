"""Files are read under a lease: by another process when one dies, given up when they kill their readers."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.policies import Actor
from chat import workshop
from chat.models import Attachment, AttachmentPage
from tests.chat.docs import files
from tests.chat.docs.conftest import attach

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_whose_reader_died_is_read_by_another(alice: Actor) -> None:
    made = attach(alice, "report.pdf", files.pdf("One"))
    assert workshop.claim("elsewhere:1:x") == made
    assert workshop.claim("here:1:y") is None, "its lease still holds"
    Attachment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    again = workshop.claim("here:1:y")
    assert again is not None
    workshop.read(again, "here:1:y", threading.Event())
    made.refresh_from_db()
    assert (made.state, made.tries, made.page_count) == ("ready", 2, 1)


def test_a_reader_that_was_given_up_writes_nothing(alice: Actor) -> None:
    attach(alice, "report.pdf", files.pdf("One"))
    lost = workshop.claim("elsewhere:1:x")
    assert lost is not None
    Attachment.objects.update(lease_owner="here:1:y")
    workshop.read(lost, "elsewhere:1:x", threading.Event())
    assert Attachment.objects.get().state == "processing"
    assert not AttachmentPage.objects.exists()


def test_a_file_that_kills_its_readers_is_given_up(alice: Actor) -> None:
    made = attach(alice, "report.pdf", files.pdf("One"))
    for _ in range(2):
        assert workshop.claim("elsewhere:1:x") == made
        Attachment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert workshop.claim("here:1:y") is None
    made.refresh_from_db()
    assert (made.state, made.error) == ("failed", "lost")


def test_a_process_that_ends_gives_back_what_it_reads(alice: Actor) -> None:
    made = attach(alice, "report.pdf", files.pdf("One"))
    closing = threading.Event()
    closing.set()
    taken = workshop.claim("here:1:y")
    assert taken is not None
    workshop.read(taken, "here:1:y", closing)
    made.refresh_from_db()
    assert (made.state, made.tries, made.lease_owner) == ("uploaded", 0, "")


def test_a_file_removed_while_it_is_read_leaves_nothing(alice: Actor) -> None:
    made = attach(alice, "report.pdf", files.pdf("One"))
    taken = workshop.claim("here:1:y")
    assert taken is not None
    made.delete()
    workshop.read(taken, "here:1:y", threading.Event())
    assert not AttachmentPage.objects.exists()


def test_the_workshop_reads_in_the_background(alice: Actor) -> None:
    workshop.open_in_background()
    try:
        made = attach(alice, "report.pdf", files.pdf("One"))
        waiting = threading.Event()
        for _ in range(200):
            made.refresh_from_db()
            if made.state == "ready":
                break
            waiting.wait(0.1)
        assert made.state == "ready"
    finally:
        workshop.close()
