"""Whose word counts, what the shipped file adds, what runs show, and what a model costs on which day; no database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog import enrichment, prices
from catalog.describing import facts_of
from catalog.evidence import Source, forget, say, statement
from catalog.merging import Listed, merge
from catalog.models import LanguageModel
from catalog.observing import saw, shown
from catalog.routing import RoutingRequest, plan
from providers.contract import MediaPart, Message, ModelInfo, ReasoningPart, TextPart, ToolCallPart
from tests.catalog.worlds import NOW, credential, facts, model, store

TODAY, LATER = date(2026, 11, 22), date(2026, 12, 1)


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ("data", "provider", "provider"),
        ("provider", "data", "provider"),
        ("observed", "data", "observed"),
        ("provider", "observed", "provider"),
        ("administrator", "provider", "administrator"),
        ("provider", "administrator", "administrator"),
    ],
)
def test_the_better_source_has_the_last_word(first: Source, then: Source, kept: str) -> None:
    row = model("openai/a")
    say(row, "tools", first == kept, first, TODAY)
    say(row, "tools", then == kept, then, LATER)
    assert (row.supports_tools, statement(row, "tools").source) == (True, kept)


def test_a_statement_keeps_the_day_on_which_it_was_first_made() -> None:
    row = model("openai/a")
    assert say(row, "tools", True, "provider", TODAY)
    assert not say(row, "tools", True, "provider", LATER)
    assert statement(row, "tools").on == "2026-11-22"
    assert say(row, "tools", False, "provider", LATER)
    assert (statement(row, "tools").state, statement(row, "tools").on) == ("unsupported", "2026-12-01")


def test_nobody_s_word_is_unknown_and_unknown_is_not_good_enough() -> None:
    row = model("openai/a")
    assert (statement(row, "vision").state, statement(row, "vision").words) == ("unknown", "nobody has said")
    world = facts([row], [credential("own")])
    refused = plan(RoutingRequest("chat", "openai/a", needs=frozenset({"vision"})), world)
    assert refused.trace["candidates"][0]["verdict"] == "lacks_vision"
    say(row, "vision", True, "administrator", TODAY, "Not more than four images.")
    assert statement(row, "vision").state == "partial"
    assert plan(RoutingRequest("chat", "openai/a", needs=frozenset({"vision"})), world).attempts


def test_what_is_taken_back_is_unknown_again() -> None:
    row = model("openai/a")
    say(row, "tools", True, "administrator", TODAY)
    forget(row, "tools", "provider")
    assert row.supports_tools is True
    forget(row, "tools", "administrator")
    assert (row.supports_tools, row.evidence) == (None, {})


# ---------------------------------------------------------------- the shipped file
def listed(info: ModelInfo, provider_id: str = "openai") -> LanguageModel:
    place = Listed((info,), sandbox=False, shared=True)
    (row,), _ = merge(provider_id, {}, [place], complete={False}, now=NOW)
    return row


def test_the_file_fills_what_a_bare_list_leaves_open() -> None:
    row = listed(ModelInfo("gpt-6-sol"))
    assert (row.label, row.context_window, row.max_output_tokens) == ("GPT-6 Sol", 1_050_000, 128_000)
    assert (row.supports_tools, row.supports_documents, row.supports_temperature) == (True, True, False)
    assert (row.reasoning_tier, row.reasoning_efforts[-1]) == ("extended", "max")
    assert statement(row, "tools").words == "shipped data file, 25 Nov 2026"
    assert prices.price_at(row, TODAY) == prices.Price(None, Decimal(2), Decimal(10), Decimal("0.2"))


def test_the_provider_s_own_word_stands_before_the_file_s() -> None:
    row = listed(ModelInfo("gpt-6-sol", "Sol", context_window=5, supports_tools=False))
    assert (row.label, row.context_window, row.supports_tools) == ("Sol", 5, False)
    assert row.evidence["context_window"] == {"source": "provider", "on": "2026-11-22"}


def test_a_snapshot_is_what_its_model_is() -> None:
    assert enrichment.entry_of("openai/gpt-5-2025-08-07") == enrichment.entry_of("openai/gpt-5")
    assert enrichment.entry_of("openai/gpt-unheard-of") == {}


def test_a_model_that_the_file_knows_to_retire_is_flagged_with_its_successor() -> None:
    row = listed(ModelInfo("gpt-5"))
    assert (row.lifecycle, row.retires_at) == ("retiring", datetime(2026, 12, 11, tzinfo=UTC))
    assert (row.successor, row.evidence["successor"]["source"]) == ("openai/gpt-6-sol", "data")


def test_a_provider_names_the_successor_itself() -> None:
    row = listed(ModelInfo("old", successor="mistral-large-latest", retires_at=NOW), "mistral")
    assert (row.successor, row.evidence["successor"]["source"]) == ("mistral/mistral-large-latest", "provider")


def test_the_sandbox_s_models_are_said_to_take_tools_and_nothing_of_a_namesake() -> None:
    place = Listed((ModelInfo("gpt-6-sol"),), sandbox=True, shared=True)
    (row,), _ = merge("openai", {}, [place], complete={True}, now=NOW)
    assert (row.evidence, row.prices) == ({"tools": {"source": "data", "on": enrichment.shipped()[0].isoformat()}}, [])


# ---------------------------------------------------------------- what runs show
def test_an_answered_run_shows_what_it_used() -> None:
    sent = (Message("user", (TextPart(text="?"), MediaPart(media_type="image/png", data=b"x"))),)
    answer = Message(
        "assistant", (ReasoningPart(text="Hm."), ToolCallPart(call_id="1", name="look"), TextPart(text="!"))
    )
    assert shown(sent, answer) == {"vision", "reasoning", "tools"}


@pytest.mark.django_db
def test_what_a_run_showed_is_kept_and_is_weaker_than_the_provider_s_word() -> None:
    row = model("openai/a")
    say(row, "tools", False, "provider", TODAY)
    store(row)
    saw("openai/a", {"tools", "reasoning"})
    kept = LanguageModel.objects.get()
    assert (kept.supports_tools, kept.supports_reasoning, kept.reasoning_tier) == (False, True, "standard")
    assert statement(kept, "reasoning").source == "observed"
    saw("openai/nobody", {"tools"})


# ---------------------------------------------------------------- prices
ROWS: list[dict[str, Any]] = [
    {"input": "5", "output": "30"},
    {"from": "2026-08-21", "input": "4", "output": "20", "cached": "0.4"},
]


@pytest.mark.parametrize(
    ("day", "costs"), [(date(2026, 8, 20), "$5 in, $30 out"), (date(2026, 8, 21), "$4 in, $20 out")]
)
def test_the_price_of_a_day_is_the_last_that_began_before_it(day: date, costs: str) -> None:
    price = prices.price_at(model("openai/a", prices=ROWS), day)
    assert price is not None
    assert price.words == f"{costs} per 1M"


def test_before_the_first_price_there_is_none() -> None:
    assert prices.price_at(model("openai/a", prices=ROWS[1:]), date(2026, 1, 1)) is None
    assert prices.price_at(model("openai/a"), TODAY) is None


def test_a_new_price_takes_its_place_in_time() -> None:
    new = prices.Price(date(2026, 3, 1), Decimal("4.5"), Decimal(25))
    assert [row.get("from") for row in prices.with_price(ROWS, new)] == [None, "2026-03-01", "2026-08-21"]
    again = prices.with_price(prices.with_price(ROWS, new), new)
    assert len(again) == 3


@pytest.mark.parametrize(("amount", "said"), [("2", "$2"), ("2.5", "$2.50"), ("0.125", "$0.125"), ("30.00", "$30")])
def test_money_reads_as_people_write_it(amount: str, said: str) -> None:
    assert prices.dollars(Decimal(amount)) == said


def test_the_api_s_words_hold_all_of_it() -> None:
    told = facts_of(listed(ModelInfo("gpt-6-sol", supports_tools=True)))
    assert told["capabilities"]["tools"] == {
        "state": "supported",
        "source": "provider",
        "on": "2026-11-22",
        "limits": "",
    }
    assert told["capabilities"]["streaming"]["source"] == "adapter"
    assert told["prices"][0] == {
        "valid_from": None,
        "input": "2",
        "output": "10",
        "cached": "0.2",
        "currency": "USD",
        "per_tokens": 1_000_000,
    }
