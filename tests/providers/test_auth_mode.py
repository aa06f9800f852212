"""The auth-mode table, every row of it, as the decision and as what a request goes out with; no database."""

from dataclasses import replace
from itertools import product

import pytest

from providers.auth_mode import choose
from providers.errors import ErrorCode
from providers.resolution import Descriptor, Reference, Resolution, resolve

KEY = Descriptor("key", "openai", "own", "api_key", "working", "sk-…4f2a")
SESSION = Descriptor("session", "openai", "own", "session", "working", "…9c1e", method="bearer")
SHARED = Descriptor("shared", "openai", "workspace", "api_key", "working", "sk-…77aa")

MISSING, EXPIRED, INVALID = ErrorCode.MISSING_AUTH, ErrorCode.SESSION_EXPIRED, ErrorCode.INVALID_AUTH
ANY_SESSION = ("active", "expired", "malformed", "absent", "unsupported")
YES, NO, ANY = (True,), (False,), (True, False)

# preferred, sessions, key present, fallback allowed -> kind, error, why a key stands in
TABLE = [
    ("api_key", ANY_SESSION, YES, ANY, "api_key", None, ""),
    ("api_key", ANY_SESSION, NO, ANY, None, MISSING, ""),
    ("session", ("active",), ANY, ANY, "session", None, ""),
    ("session", ("expired",), YES, YES, "api_key", None, "session_expired"),
    ("session", ("expired",), YES, NO, None, EXPIRED, ""),
    ("session", ("expired",), NO, ANY, None, EXPIRED, ""),
    ("session", ("absent",), YES, YES, "api_key", None, "session_absent"),
    ("session", ("absent",), YES, NO, None, MISSING, ""),
    ("session", ("absent",), NO, ANY, None, MISSING, ""),
    ("session", ("malformed",), YES, YES, "api_key", None, "session_malformed"),
    ("session", ("unsupported",), YES, YES, "api_key", None, "session_unsupported"),
    ("session", ("malformed",), YES, NO, None, INVALID, ""),
    ("session", ("malformed",), NO, ANY, None, INVALID, ""),
    ("session", ("unsupported",), YES, NO, None, MISSING, ""),
    ("session", ("unsupported",), NO, ANY, None, MISSING, ""),
]
ROWS = [
    (preferred, session, key, allowed, kind, error, reason)
    for preferred, sessions, keys, fallbacks, kind, error, reason in TABLE
    for session, key, allowed in product(sessions, keys, fallbacks)
]


def test_the_table_says_something_about_everything_once() -> None:
    cases = [row[:4] for row in ROWS]
    everything = product(("api_key", "session"), ANY_SESSION, (True, False), (True, False))
    assert sorted(map(str, cases)) == sorted(map(str, everything))


@pytest.mark.parametrize(("preferred", "session", "key", "allowed", "kind", "error", "reason"), ROWS)
def test_a_row_of_the_table(preferred, session, key, allowed, kind, error, reason) -> None:  # type: ignore[no-untyped-def]
    choice = choose(preferred, session, key=key, fallback_allowed=allowed)
    assert (choice.kind, choice.error, choice.reason) == (kind, error, reason)


@pytest.mark.parametrize(("preferred", "session", "key", "allowed", "kind", "error", "reason"), ROWS)
def test_a_request_goes_out_as_the_table_says(preferred, session, key, allowed, kind, error, reason) -> None:  # type: ignore[no-untyped-def]
    state = {"active": "working", "unsupported": "working"}.get(session, session)
    held = [replace(KEY, mode=preferred, fallback_allowed=allowed)] if key else []
    if session != "absent":
        held.append(replace(SESSION, state=state, mode=preferred, fallback_allowed=allowed))
    found = resolve("openai", held, sandbox_model=False, knows_sessions=session != "unsupported")
    assert (found.chosen.kind if found.chosen else None, found.error, found.reason) == (kind, error, reason)
    used = [line for line in found.trace if line["verdict"] == "used"]
    assert len(used) == (kind is not None)
    assert [line.get("reason", "") for line in used if line.get("fallback_applied")] == ([reason] if reason else [])


def verdicts(found: Resolution) -> list[tuple[str, str]]:
    return [(line["source"], line["verdict"]) for line in found.trace]


def prefers(one: Descriptor, *, fallback: bool = False, **over: str) -> Descriptor:
    return replace(one, mode="session", fallback_allowed=fallback, **over)  # type: ignore[arg-type]


def test_an_ended_session_is_put_right_and_not_paid_for_by_the_workspace() -> None:
    found = resolve("openai", [prefers(SESSION, state="expired"), SHARED], sandbox_model=False)
    assert (found.chosen, found.error, found.blocked is not None) == (None, EXPIRED, True)
    assert verdicts(found) == [("own", "expired"), ("workspace", "not_reached"), ("environment", "absent")]


def test_who_has_nothing_that_fits_is_passed_over() -> None:
    found = resolve("openai", [SESSION, SHARED], sandbox_model=False)
    assert found.chosen == SHARED
    assert verdicts(found) == [("own", "not_preferred"), ("workspace", "used"), ("environment", "absent")]


def test_a_session_has_its_owner_s_key_behind_it_only_where_that_is_allowed() -> None:
    for fallback in (True, False):
        held = [prefers(KEY, fallback=fallback), prefers(SESSION, fallback=fallback), SHARED]
        found = resolve("openai", held, sandbox_model=False)
        assert found.chosen is not None
        assert found.chosen.kind == "session"
        assert (found.backup.ref if found.backup else None) == ("key" if fallback else None)


def test_the_key_that_stands_in_says_so_in_the_trace() -> None:
    held = [prefers(KEY, fallback=True), prefers(SESSION, fallback=True, state="expired")]
    found = resolve("openai", held, sandbox_model=False)
    line = next(line for line in found.trace if line["verdict"] == "used")
    assert (line["ref"], line["fallback_applied"], line["reason"]) == ("key", True, "session_expired")


# ---------------------------------------------------------------- what a request names
def test_a_named_credential_stands_before_all_others() -> None:
    found = resolve("openai", [KEY, SHARED], sandbox_model=False, reference=Reference("shared", "openai"))
    assert found.chosen == SHARED
    assert verdicts(found) == [
        ("request", "used"),
        ("own", "not_named"),
        ("workspace", "not_named"),
        ("environment", "absent"),
    ]
    assert found.trace[0]["of"] == "workspace"


def test_a_named_session_is_used_whatever_its_owner_prefers() -> None:
    found = resolve("openai", [KEY, SESSION], sandbox_model=False, reference=Reference("session", "openai"))
    assert found.chosen == SESSION
    assert found.backup is None


@pytest.mark.parametrize(("named", "state", "error"), [("gone", "working", MISSING), ("session", "expired", EXPIRED)])
def test_nothing_takes_the_place_of_a_named_credential(named: str, state: str, error: ErrorCode) -> None:
    held = [KEY, replace(SESSION, state=state), SHARED]
    found = resolve("openai", held, sandbox_model=False, reference=Reference(named, "openai"))
    assert (found.chosen, found.error) == (None, error)


def test_a_named_credential_counts_for_its_own_provider() -> None:
    other = replace(SHARED, ref="gemini", provider_id="gemini")
    found = resolve("gemini", [KEY, other], sandbox_model=False, reference=Reference("key", "openai"))
    assert found.chosen == other
