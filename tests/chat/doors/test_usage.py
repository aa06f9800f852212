"""What was used, on the page, in the console and in the API: counted by day, model and member, priced where a price is
known, and never zero for what nobody knows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.policies import Actor
from catalog.models import Limit
from chat.models import UsageEntry
from chat.spending import report
from providers import credentials
from tests.catalog.worlds import model, store
from tests.chat.engine.rows import make_run
from tests.chat.engine.test_limits import COUNTED, KEY, ask, end
from tests.providers.people import api_client

PRICES = [{"input": "1", "output": "10", "cached": "0.1"}, {"from": "2026-11-10", "input": "2", "output": "20"}]


@pytest.fixture
def catalog(alice: Actor) -> None:
    store(model("openai/big", prices=PRICES, label="Big"), model("openai/small", label="Small"))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)


def used(actor: Actor, at: datetime, key: str = "openai/big", **over: Any) -> None:
    values = {"input_tokens": 1_000_000, "cached_input_tokens": 0, "output_tokens": 100_000, "answered": True} | over
    UsageEntry.objects.create(
        workspace_id=actor.workspace_id, user_id=actor.user_id, at=at, context="chat", model=key, **values
    )


def day(number: int) -> datetime:
    return datetime(2026, 11, number, 23, 59, tzinfo=UTC)


@pytest.mark.usefixtures("catalog")
def test_a_day_costs_what_held_on_it(alice: Actor) -> None:
    used(alice, day(9))
    used(alice, day(10))
    used(alice, day(9), cached_input_tokens=500_000, requests=0)  # such as a title
    found = report(UsageEntry.objects.all(), now=day(10))
    by_day = {line.key: line.amount for line in found.days if line.amount.runs}
    assert by_day["2026-11-09"].cost == Decimal(2) + Decimal("1.55")
    assert by_day["2026-11-10"].known_cost == Decimal(4)
    assert (found.total.answers, found.total.tokens) == (2, 3_300_000)
    assert [bar.label for bar in found.bars][-1] == "10 Nov: 1,100,000 tokens, 1 answer, $4.00"


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    "over",
    [
        {"key": "openai/small"},
        {"key": "openai/gone"},
        {"key": "openai/big", "cached_input_tokens": 5},
        {"key": "openai/big", "input_tokens": None, "output_tokens": None, "cached_input_tokens": None},
    ],
    ids=["no price", "no model", "no price for what was cached", "nobody counted"],
)
def test_what_is_not_known_is_never_zero(alice: Actor, over: dict[str, Any]) -> None:
    used(alice, day(11), **over)
    found = report(UsageEntry.objects.all(), now=day(11))
    assert (found.total.known_cost, found.total.cost_words) == (None, "unknown")
    used(alice, day(12))
    assert report(UsageEntry.objects.all(), now=day(12)).total.cost_words == "$4.00 and 1 unknown"


@pytest.mark.usefixtures("catalog")
def test_what_is_older_than_it_is_asked_for_is_left_out(alice: Actor) -> None:
    used(alice, day(1))
    assert report(UsageEntry.objects.all(), days=10, now=day(10)).total.runs == 1
    assert report(UsageEntry.objects.all(), days=9, now=day(10)).total.runs == 0


@pytest.mark.usefixtures("catalog")
def test_a_run_is_used_once_it_ends(alice: Actor, bob: Actor, charlie: Actor) -> None:
    end(ask(alice), COUNTED)
    used(bob, timezone.now(), "openai/small", input_tokens=7, output_tokens=1)
    mine = api_client(alice, ("chat",)).get("/api/v1/usage/").json()
    assert (mine["total"]["answers"], mine["total"]["input_tokens"], mine["total"]["output_tokens"]) == (1, 300, 200)
    assert [line["key"] for line in mine["models"]] == ["openai/big"]
    assert mine["total"]["cost"] == "0.004600"
    ours = api_client(alice, ("workspace",)).get("/api/v1/usage/workspace/").json()
    assert {line["name"]: line["amount"]["input_tokens"] for line in ours["members"]} == {
        "alice@example.com": 300,
        "bob@example.com": 7,
    }
    small = next(line for line in ours["models"] if line["key"] == "openai/small")
    assert (small["amount"]["cost"], small["amount"]["unpriced"]) == (None, 1)
    assert api_client(bob, ("workspace",)).get("/api/v1/usage/workspace/").status_code == 403
    assert api_client(charlie, ("workspace",)).get("/api/v1/usage/workspace/").json()["members"] == []


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("days", ["0", "367", "many"])
def test_days_are_bounded(alice: Actor, days: str) -> None:
    assert api_client(alice, ("chat",)).get(f"/api/v1/usage/?days={days}").status_code == 400


@pytest.mark.usefixtures("catalog")
def test_what_remains_is_told_before_it_is_gone(alice: Actor, signed_in: Callable[[Actor], Client]) -> None:
    Limit.objects.create(workspace_id=alice.workspace_id, hard=3, soft=2, period="hour")
    client = signed_in(alice)
    assert "requests left" not in client.get("/").text
    for _ in range(2):
        ask(alice)
    page = client.get("/").text
    assert "1 of 3 requests left this hour. Counting begins anew at" in page
    (told,) = api_client(alice, ("chat",)).get("/api/v1/limits/remaining/").json()["results"]
    assert (told["used"], told["left"], told["near"]) == (2, 1, True)
    found = make_run(alice, state="done").conversation
    assert "1 of 3 requests left" in client.get(f"/c/{found.pk}/ring/?model=openai/big").text
    ask(alice)
    sent = client.post("/", {"text": "Once more, please", "model": "openai/big"})
    assert sent.status_code == 429
    assert "Your limit of 3 requests an hour is reached." in sent.text
    assert "Once more, please" in sent.text


@pytest.mark.usefixtures("catalog")
def test_the_page_says_what_was_used_and_what_is_left(alice: Actor, signed_in: Callable[[Actor], Client]) -> None:
    client = signed_in(alice)
    assert "Nothing was used in the last 30 days." in client.get("/settings/usage/").text
    Limit.objects.create(workspace_id=alice.workspace_id, hard=2)
    end(ask(alice), COUNTED)
    used(alice, timezone.now() - timedelta(days=1), "openai/small", input_tokens=None, output_tokens=None)
    page = client.get("/settings/usage/").text
    assert "1 of 2 requests left today." in page
    assert "Big" in page
    assert "$0.0046" in page
    assert "unknown" in page
    assert page.count("<rect") >= 30


@pytest.mark.usefixtures("catalog")
def test_limits_are_made_through_the_api(alice: Actor, bob: Actor, charlie: Actor) -> None:
    admin, member = api_client(alice, ("models", "policy")), api_client(bob, ("models", "policy"))
    body = {"measure": "tokens", "period": "month", "hard": 1000, "member": str(bob.user_id)}
    made = admin.post("/api/v1/limits/", body, "application/json")
    assert made.status_code == 201, made.content
    admin.post("/api/v1/limits/", {"hard": 1, "member": str(alice.user_id)}, "application/json")
    assert [row["id"] for row in member.get("/api/v1/limits/").json()["results"]] == [made.json()["id"]]
    assert len(admin.get("/api/v1/limits/").json()["results"]) == 2
    assert api_client(charlie).get("/api/v1/limits/").json()["results"] == []
    assert member.post("/api/v1/limits/", {"hard": 1}, "application/json").status_code == 403
    for wrong in ({}, {"hard": 1, "soft": 2}, {"hard": 0}, {"hard": 5, "member": str(charlie.user_id)}):
        assert admin.post("/api/v1/limits/", wrong, "application/json").status_code in {400, 422}, wrong
    assert member.delete(f"/api/v1/limits/{made.json()['id']}/").status_code == 403
    assert admin.delete(f"/api/v1/limits/{made.json()['id']}/").status_code == 204
    assert Limit.objects.count() == 1
    assert User.objects.filter(pk=bob.user_id).exists()
