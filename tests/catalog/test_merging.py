"""How a fresh list changes the rows that are there; no database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.merging import Listed, merge
from catalog.models import LanguageModel
from providers.contract import ModelInfo

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOTH = {True, False}


def row(model_id: str, **over: Any) -> LanguageModel:
    values = {"label": model_id, "last_seen_at": BEFORE, "shared": True, "sandbox": False} | over
    return LanguageModel(provider_id="openai", model_id=model_id, **values)


def place(*models: ModelInfo | str, sandbox: bool = False, shared: bool = True) -> Listed:
    infos = tuple(ModelInfo(one) if isinstance(one, str) else one for one in models)
    return Listed(infos, sandbox=sandbox, shared=shared)


def merged(
    rows: list[LanguageModel], listed: list[Listed], complete: set[bool] = BOTH
) -> tuple[dict[str, LanguageModel], dict[str, LanguageModel]]:
    fresh, changed = merge("openai", {one.model_id: one for one in rows}, listed, complete=complete, now=NOW)
    return {one.model_id: one for one in fresh}, {one.model_id: one for one in changed}


def test_what_a_list_says_is_taken_and_what_it_does_not_say_stays_unknown() -> None:
    info = ModelInfo("gpt-1", "GPT 1", context_window=400_000, supports_tools=True)
    fresh, _ = merged([], [place(info)])
    made = fresh["gpt-1"]
    assert (made.label, made.context_window, made.supports_tools) == ("GPT 1", 400_000, True)
    assert (made.supports_vision, made.max_output_tokens, made.lifecycle) == (None, None, "active")
    assert made.last_seen_at == NOW


def test_a_model_without_a_label_is_called_by_its_id() -> None:
    assert merged([], [place(ModelInfo("gpt-1", "  "))])[0]["gpt-1"].label == "gpt-1"


def test_a_later_list_that_says_less_does_not_forget() -> None:
    known = row("gpt-1", label="GPT 1", context_window=400_000)
    changed = merged([known], [place("gpt-1")])[1]["gpt-1"]
    assert (changed.label, changed.context_window) == ("GPT 1", 400_000)


def test_a_model_that_is_listed_no_more_is_flagged_and_comes_back_when_it_is() -> None:
    known = row("gpt-1")
    assert merged([known], [place("gpt-2")])[1]["gpt-1"].lifecycle == "vanished"
    assert merged([known], [place("gpt-1")])[1]["gpt-1"].lifecycle == "active"


@pytest.mark.parametrize(
    ("listed", "complete"),
    [
        pytest.param([place()], BOTH, id="an empty list"),
        pytest.param([place("gpt-2")], {True}, id="another place did not answer"),
        pytest.param([place("gpt-sandbox", sandbox=True)], BOTH, id="only the sandbox answered"),
        pytest.param([], BOTH, id="nobody answered"),
    ],
)
def test_an_absence_that_proves_nothing_flags_nothing(listed: list[Listed], complete: set[bool]) -> None:
    assert "gpt-1" not in merged([row("gpt-1")], listed, complete)[1]


def test_a_date_of_retirement_makes_a_model_retiring() -> None:
    changed = merged([row("gpt-1")], [place(ModelInfo("gpt-1", retires_at=NOW))])[1]
    assert (changed["gpt-1"].lifecycle, changed["gpt-1"].retires_at) == ("retiring", NOW)


def test_a_model_that_both_the_sandbox_and_a_vendor_list_is_the_vendor_s() -> None:
    both = [place("gpt-1"), place("gpt-1", "gpt-sandbox", sandbox=True)]
    fresh, _ = merged([], both)
    assert {name: one.sandbox for name, one in fresh.items()} == {"gpt-1": False, "gpt-sandbox": True}
    assert not merged([row("gpt-1", sandbox=True)], both)[1]["gpt-1"].sandbox
    assert merged([row("gpt-1")], [place("gpt-1", sandbox=True)])[1] == {}


def test_a_customer_s_own_models_are_left_out_unless_the_installation_asked() -> None:
    tuned = "ft:gpt-1:example-company::abc"
    assert tuned not in merged([], [place(tuned, shared=False)])[0]
    assert merged([], [place(tuned)])[0][tuned].shared


def test_what_only_a_stored_key_lists_is_not_shared_until_the_installation_lists_it_too() -> None:
    fresh, _ = merged([], [place("gpt-1", shared=False)])
    assert not fresh["gpt-1"].shared
    assert merged(list(fresh.values()), [place("gpt-1")])[1]["gpt-1"].shared
    assert merged([row("gpt-1")], [place("gpt-1", shared=False)])[1]["gpt-1"].shared


@pytest.mark.parametrize("name", ["", "x" * 161, "two words", "line\nbreak", "nul\x00"])
def test_an_id_that_could_not_be_asked_for_is_left_out(name: str) -> None:
    assert merged([], [place(name)])[0] == {}


@pytest.mark.parametrize(("said", "kept"), [(0, None), (-1, None), (2**40, None), (1, 1)])
def test_a_size_that_makes_no_sense_is_unknown(said: int, kept: int | None) -> None:
    assert merged([], [place(ModelInfo("gpt-1", context_window=said))])[0]["gpt-1"].context_window == kept
