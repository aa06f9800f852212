"""The trace of a run in words, for those who administer its workspace: where it went and why. What was said is not
here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog import shelf
from chat import provenance
from chat.models import Run
from chat.render.names import by_of, credential_phrase, label_of, labels_of
from providers import credential_words
from providers.faults import WORDS
from providers.registry import providers

WHY = {
    "request": "named by the request",
    "conversation": "held by the conversation",
    "user": "the member's default",
    "workspace": "the workspace's default",
    "installation": "the installation's default",
    "preference": "best of what is left",
    "fallback": "the workspace's fallback chain",
}
STATES = {"attempt": "First try", "retry": "Tried again", "fallback": "Fallback", "renewal": "Session renewed"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a table: `what` was looked at or tried, `why`, and what came of it; `tone` is done, warn or bad."""

    what: str
    why: str
    came: str
    tone: str = ""
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """`because` says which credential was used and why; `remarks` are what else decided the way."""

    models: tuple[Step, ...]
    credentials: tuple[Step, ...]
    because: str
    attempts: tuple[Step, ...]
    remarks: tuple[str, ...]
    first_word: float | None
    seconds: float | None


def trace_of(run: Run) -> Trace:
    """Of a run with its `user`. One query."""
    trace = run.trace
    tried = trace.get("attempts", ())
    keys = {f"{line['provider_id']}/{line['model_id']}" for line in tried}
    labels = labels_of(keys | {line["model"] for line in trace.get("candidates", ())} | {run.served_model})
    whose = f"{run.user.get_full_name()}'s"
    credentials = trace.get("credentials", ())
    return Trace(
        tuple(_candidate(line, labels) for line in trace.get("candidates", ())),
        tuple(_credential(line, whose) for line in credentials),
        credential_words.because(credentials, whose=whose),
        tuple(_attempt(line, labels) for line in tried),
        tuple(_remarks(run)),
        by_of(run, labels).first_word,
        (run.ended_at - run.created_at).total_seconds() if run.ended_at else None,
    )


def phrase(run: Run) -> str:
    """Whose credential answered, with its hint, as an administrator reads it."""
    return _phrase(run.credential_source, run.credential_hint, provenance.kind(run))


def outcome(run: Run) -> str:
    """How it ended: its state, and of a failure the code."""
    return str(run.error.get("code", "") or run.get_state_display())


def failure(run: Run) -> str:
    """What failed, in our words: a vendor's own may repeat what somebody wrote."""
    code = run.error.get("code", "")
    return WORDS.get(code) or str(run.error.get("message", ""))


def _candidate(line: Mapping[str, Any], labels: Mapping[str, str]) -> Step:
    verdict = line["verdict"]
    chosen = verdict == "chosen"
    words = "chosen" if chosen else shelf.VERDICTS.get(verdict, verdict.replace("_", " "))
    return Step(_named(line["model"], labels), WHY.get(line["why"], line["why"]), words, "done" if chosen else "")


def _credential(line: Mapping[str, Any], whose: str) -> Step:
    verdict = line["verdict"]
    tone = {"used": "done", "expired": "warn", "malformed": "warn"}.get(verdict, "")
    words = credential_words.VERDICTS.get(verdict, verdict)
    return Step(credential_words.name(line, whose=whose), "", words, tone)


def _attempt(line: Mapping[str, Any], labels: Mapping[str, str]) -> Step:
    key = f"{line['provider_id']}/{line['model_id']}"
    through = _phrase(line["credential_source"], line["credential_hint"], line.get("credential_kind", ""))
    came = line["outcome"] or "under way"
    tone = {"answered": "done", "stopped": "", "under way": ""}.get(came, "bad")
    why = f"{STATES.get(line['state'], line['state'])}, with {through}"
    return Step(_named(key, labels), why, came.replace("_", " "), tone, line.get("ms"))


def _phrase(source: str, hint: str, kind: str) -> str:
    words = credential_phrase(source, "", kind).replace("your", "own")
    return words if hint == source else f"{words} {hint}".strip()


def _named(key: str, labels: Mapping[str, str]) -> str:
    provider = providers().get(key.partition("/")[0])
    return f"{label_of(key, labels)}, {provider.label}" if provider else key


def _remarks(run: Run) -> list[str]:
    trace = run.trace
    found = []
    if alias := trace.get("alias"):
        found.append(f"{alias['name']} stood for {alias['target']}. {alias['reason']}".strip())
    if limit := trace.get("limit"):
        found.append(f"A limit of {limit['hard']:,} {limit['measure']} a {limit['period']} was reached.")
    if trace.get("tools_off"):
        found.append("The conversation's tools were kept from a model that is not known to take any.")
    found += [f"The tools of {one['server']} were left out. {one['reason']}" for one in trace.get("left_out", ())]
    if facts := trace.get("compaction"):
        found.append(f"{facts.get('messages', 0)} older messages were sent as a summary.")
    if more := trace.get("omitted"):
        found.append(f"{more:,} more models were looked at.")
    return found
