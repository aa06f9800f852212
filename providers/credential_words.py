"""The trace of a credential's choice in words: each candidate with what became of it, and why the one was used."""

from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {
    "own": "Your {thing}",
    "workspace": "The workspace's {thing}",
    "environment": "The installation's {thing}",
    "sandbox": "The sandbox",
}
VERDICTS = {
    "used": "is used",
    "absent": "is not there",
    "not_needed": "is not needed",
    "wrong_kind": "does not fit this model",
    "not_preferred": "is not what its owner prefers",
    "expired": "has expired",
    "malformed": "cannot be read",
    "not_reached": "was not asked: what stands before it has to be put right first",
    "not_named": "is not what the request names",
    "not_allowed": "is of a kind that the operator does not allow",
    "not_relayed": "is never used through the OpenAI-compatible API",
}
# Why a key stands in for a session.
_INSTEAD = {
    "session_expired": "the session has expired and a key may stand in for it",
    "session_malformed": "the session cannot be read and a key may stand in for it",
    "session_absent": "there is no session and a key may stand in for one",
    "session_unsupported": "the provider knows no sessions and a key may stand in for one",
}
_PASSED = {"own": "you have none of your own", "workspace": "the workspace has none", "environment": ""}


def name(line: Mapping[str, Any], *, whose: str = "Your") -> str:
    """Your key ending 4f2a. `whose` is another person's name where it is not the reader who asked."""
    source = line.get("of", line["source"])
    if source == "request":
        return "The credential that the request names"
    thing = "session" if line.get("kind") == "session" else "key"
    found = str(_NAMES.get(source, source)).format(thing=thing)
    found = found.replace("Your", whose, 1) if source == "own" else found
    if source == "sandbox":
        return found
    if account := line.get("account"):
        return f"{found} of {account}"
    ending = str(line.get("hint", "")).rpartition("…")[2]
    return f"{found} ending {ending}" if "…" in str(line.get("hint", "")) and ending else found


def said(line: Mapping[str, Any], *, whose: str = "Your") -> str:
    """One candidate and its verdict, a sentence."""
    return f"{name(line, whose=whose)} {VERDICTS.get(line['verdict'], line['verdict'])}."


def because(trace: Sequence[Mapping[str, Any]], *, whose: str = "Your") -> str:
    """The one that was used and why, a sentence; empty where none was."""
    used = next((line for line in trace if line["verdict"] == "used"), None)
    if used is None:
        return ""
    if used["source"] == "request":
        reason = "the request names it"
    elif used.get("fallback_applied"):
        reason = _INSTEAD.get(str(used.get("reason")), str(used.get("reason")))
    else:
        before = [_PASSED.get(line["source"], "") for line in trace[: trace.index(used)] if line["verdict"] == "absent"]
        reason = " and ".join(filter(None, before)) if whose == "Your" else ""
        reason = reason or ("it is preferred" if used.get("kind") == "session" else "it comes first")
    return f"{name(used, whose=whose)}, because {reason}."
