"""The tool that reads files: a person's own, of this conversation and of their library, page after page."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from chat.journal import Journal
from chat.models import Attachment, AttachmentPage, Conversation, Run
from chat.tools import files
from chat.tools.contract import Scope, ToolFailed
from tests.chat.docs.conftest import media, ready
from tests.chat.engine.rows import make_conversation

__all__ = ["media", "ready"]

pytestmark = pytest.mark.django_db(transaction=True)

type Make = Callable[..., Attachment]


def read(actor: Actor, name: str, page: int = 1, inside: Conversation | None = None) -> str:
    tool = files.tool(actor)
    assert tool is not None
    assert tool.call is not None
    scope = Scope(Run(conversation=inside), Journal("here").open(uuid4(), uuid4()), "c1")
    return str(async_to_sync(tool.call)({"name": name, "page": page}, scope))


def refused(*arguments: Any) -> str:
    with pytest.raises(ToolFailed) as failed:
        read(*arguments)
    return str(failed.value)


def test_a_document_is_read_by_its_name_or_a_part_of_it(alice: Actor, ready: Make) -> None:
    ready(alice, "fjord.txt", b"The fjord is deep.", purpose="document")
    assert read(alice, "Fjord.txt") == read(alice, "fjo") == "[part 1]\nThe fjord is deep."


def test_nobody_elses_file_is_there(alice: Actor, bob: Actor, ready: Make) -> None:
    ready(alice, "fjord.txt", b"The fjord is deep.", purpose="document")
    ready(bob, "mine.txt", b"A lake.", purpose="document")
    assert refused(bob, "fjord.txt") == "There is no such file. These are there: mine.txt."


def test_a_file_of_a_message_is_read_in_its_conversation_only(alice: Actor, ready: Make) -> None:
    here, elsewhere = make_conversation(alice), make_conversation(alice)
    row = ready(alice, "note.txt", b"Noted.", conversation=here.pk)
    with pytest.raises(ToolFailed):
        read(alice, "note.txt", 1, here)  # nobody sent it yet
    Attachment.objects.filter(pk=row.pk).update(sent_at=row.created_at)
    assert read(alice, "note.txt", 1, here) == "[part 1]\nNoted."
    assert refused(alice, "note.txt", 1, elsewhere) == "There is no such file. These are there: none."


def test_a_long_file_is_read_in_pieces(alice: Actor, ready: Make) -> None:
    row = ready(alice, "long.txt", b"x", purpose="document")
    row.pages.all().delete()
    texts = {1: "a" * 30_000, 2: "b" * 30_000, 3: "c"}
    AttachmentPage.objects.bulk_create(AttachmentPage(attachment=row, number=one, text=texts[one]) for one in texts)
    assert read(alice, "long.txt").endswith("a\n\n[It goes on: call again with page 2.]")
    assert read(alice, "long.txt", 2) == f"[part 2]\n{texts[2]}\n\n[part 3]\nc"
    assert refused(alice, "long.txt", 4) == "long.txt has no readable text from part 4 on."


def test_more_than_one_file_of_a_name_is_asked_back(alice: Actor, ready: Make) -> None:
    for name in ("may.txt", "mayor.txt"):
        ready(alice, name, b"x", purpose="document")
    assert refused(alice, "ma") == "More than one file is called that. These are there: mayor.txt, may.txt."
    assert read(alice, "may.txt") == "[part 1]\nx"


def test_who_has_no_file_is_offered_no_tool(alice: Actor) -> None:
    assert files.tool(alice) is None
