"""What a start reserves under a limit of tokens, and what is counted when its model, its kind or its end is another."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile

from accounts.policies import Actor
from catalog.facts import facts_for
from catalog.limits import begun
from catalog.routing import RoutingRequest, plan
from chat import runs
from chat.limits import ANSWER_TOKENS, DOCUMENT_TOKENS, admitted, standings
from chat.models import Attachment, UsageEntry
from chat.protocol import Command
from tests.chat.engine.rows import make_run
from tests.chat.engine.test_limits import ask, catalog, end, limit

__all__ = ["catalog"]


@pytest.mark.usefixtures("catalog")
def test_a_run_whose_model_changes_is_not_counted_beside_itself(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=1_500)
    run = ask(alice)
    other = plan(RoutingRequest("chat", "openai/small"), facts_for(alice))
    assert admitted(alice, run, other).attempts
    assert UsageEntry.objects.get().model == "openai/small"
    UsageEntry.objects.create(
        workspace_id=alice.workspace_id, user_id=alice.user_id, at=datetime.now(UTC), context="chat", reserved=1_000
    )
    back = admitted(alice, run, plan(RoutingRequest("chat", "openai/big"), facts_for(alice)))
    assert (back.attempts, back.trace["limit"]["used"]) == ((), 1_000)


@pytest.mark.usefixtures("catalog")
def test_a_title_is_no_request_but_its_tokens_count(alice: Actor) -> None:
    limit(alice, hard=1)
    limit(alice, measure="tokens", hard=2_500)
    ask(alice)
    title, other = (make_run(alice, input={"what": "title"}) for _ in range(2))
    where = plan(RoutingRequest("summary", "openai/big"), facts_for(alice))
    assert admitted(alice, title, where).attempts
    assert UsageEntry.objects.get(run=title).requests == 0
    assert not admitted(alice, other, where).attempts


def test_each_period_counts_its_own(alice: Actor) -> None:
    for period in ("hour", "month"):
        limit(alice, hard=5, period=period)
    now = datetime.now(UTC)
    before = begun("hour", now) - timedelta(seconds=1)
    UsageEntry.objects.create(workspace_id=alice.workspace_id, user_id=alice.user_id, at=before, context="chat")
    used = {one.limit.period: one.used for one in standings(alice)}
    assert used == {"hour": 0, "month": int(before >= begun("month", now))}


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(("size", "sent"), [(3_000, 3_000), (90_000, DOCUMENT_TOKENS)])
def test_what_can_be_sent_of_a_document_is_reserved(alice: Actor, size: int, sent: int) -> None:
    limit(alice, measure="tokens", hard=100_000)
    document = Attachment.objects.create(
        workspace_id=alice.workspace_id, owner_id=alice.user_id, purpose="document", filename="a.txt", kind="text",
        media_type="text/plain", size=5, sha256="0" * 64, file=ContentFile(b"Hello", name="a.txt"), token_estimate=size,
    )  # fmt: skip
    run = make_run(alice, document=document, context="doc")
    assert admitted(alice, run, plan(RoutingRequest("doc", "openai/big"), facts_for(alice))).attempts
    assert 0 <= UsageEntry.objects.get().reserved - sent - ANSWER_TOKENS < 50


@pytest.mark.usefixtures("catalog")
def test_a_long_conversation_is_reserved_as_its_newest_answer_took_it(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=100_000)
    first = ask(alice)
    end(first, {"input_tokens": 7_000, "output_tokens": 500})
    runs.start(alice, Command(text="Go on", model="openai/big", conversation_id=first.conversation_id))
    assert 7_500 <= UsageEntry.objects.latest("pk").reserved - ANSWER_TOKENS < 7_550


@pytest.mark.usefixtures("catalog")
def test_a_provider_that_said_nothing_took_nothing(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=5_000)
    end(ask(alice), {}, heard=False)
    assert standings(alice)[0].used == 0
