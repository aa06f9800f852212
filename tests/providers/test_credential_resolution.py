"""Which credential a request goes out with, as a table; no database."""

import pytest

from providers.auth_mode import Mode
from providers.errors import ErrorCode
from providers.resolution import Descriptor, Source, resolve

OPENAI = "openai"


def one(source: Source, *, provider: str = OPENAI, kind: Mode = "api_key", state: str = "working") -> Descriptor:
    return Descriptor(f"{source}-ref", provider, source, kind, state, "sk-…4f2a", sandbox=source == "sandbox")


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["own", "workspace", "environment", "sandbox"], "own"),
        (["workspace", "environment", "sandbox"], "workspace"),
        (["environment", "sandbox"], "environment"),
        (["sandbox"], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_nearest_key_is_used_whatever_order_they_come_in(
    present: list[Source], chosen: str | None, backwards: bool
) -> None:
    candidates = [one(source) for source in present]
    found = resolve(OPENAI, candidates[::-1] if backwards else candidates, sandbox_model=False)
    assert (found.chosen.source if found.chosen else None) == chosen
    assert found.error is (None if chosen else ErrorCode.MISSING_AUTH)


def test_a_refused_key_of_one_s_own_is_used_and_not_silently_skipped() -> None:
    found = resolve(OPENAI, [one("own", state="refused"), one("workspace")], sandbox_model=False)
    assert found.chosen is not None
    assert found.chosen.source == "own"


def test_a_sandbox_model_is_answered_by_the_sandbox_alone() -> None:
    everything: list[Source] = ["own", "workspace", "environment", "sandbox"]
    found = resolve(OPENAI, [one(source) for source in everything], sandbox_model=True)
    assert found.chosen is not None
    assert found.chosen.source == "sandbox"
    assert resolve(OPENAI, [one("own")], sandbox_model=True).error is ErrorCode.MISSING_AUTH


def test_a_session_is_not_used_while_its_owner_prefers_keys() -> None:
    assert resolve(OPENAI, [one("own", kind="session")], sandbox_model=False).chosen is None


def test_another_provider_s_keys_play_no_part() -> None:
    found = resolve(OPENAI, [one("own", provider="gemini"), one("workspace")], sandbox_model=False)
    assert found.chosen is not None
    assert found.chosen.source == "workspace"
    assert "own-ref" not in str(found.trace)


def test_the_trace_names_every_candidate_in_order_with_its_verdict() -> None:
    found = resolve(OPENAI, [one("sandbox"), one("environment"), one("workspace")], sandbox_model=False)
    assert [(line["source"], line["verdict"]) for line in found.trace] == [
        ("own", "absent"),
        ("workspace", "used"),
        ("environment", "not_needed"),
        ("sandbox", "wrong_kind"),
    ]
    assert found.trace[1] == {
        "source": "workspace",
        "ref": "workspace-ref",
        "hint": "sk-…4f2a",
        "kind": "api_key",
        "state": "working",
        "verdict": "used",
    }


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("own", "Your key …4f2a"),
        ("workspace", "Workspace key"),
        ("environment", "Installation key"),
        ("sandbox", "Sandbox"),
    ],
)
def test_a_page_names_a_credential_by_whose_it_is(source: Source, text: str) -> None:
    assert one(source).text == text
