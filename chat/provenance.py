"""Who really answered: each try of a run as it is stored on it, and the row that follows a fallback."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from chat.models import Run
from providers.errors import ProviderError
from providers.events import AttemptChanged
from providers.tries import Attempt

# What a fallback changes about a run.
SERVED = ("served_model", "credential_source", "credential_hint", "trace")


def serve(run: Run, attempt: Attempt) -> None:
    """From now on this attempt answers the run."""
    run.served_model = f"{attempt.provider_id}/{attempt.model_id}"
    run.credential_source, run.credential_hint = attempt.credential_source, attempt.credential_hint


def credential(run: Run) -> dict[str, Any]:
    """Whose credential answers, for a `status` event."""
    told = {"credential": run.credential_source, "hint": run.credential_hint}
    return told | ({"kind": "session"} if kind(run) == "session" else {})


def kind(run: Run) -> str:
    """Of the credential that answers: `api_key` or `session`, empty before one is chosen."""
    for line in reversed(run.trace.get("attempts", ())):
        return str(line.get("credential_kind", ""))
    kinds = (line["kind"] for line in run.trace.get("credentials", ()) if line["verdict"] == "used")
    return str(next(kinds, ""))


def stand_in(run: Run) -> str:
    """Why a key was chosen in the place of a session, empty when none was."""
    lines = run.trace.get("credentials", ())
    return next((str(line["reason"]) for line in lines if line.get("fallback_applied")), "")


def row(run: Run) -> dict[str, Any]:
    """The fields of the run that say who answered, for an update."""
    return {name: getattr(run, name) for name in SERVED}


class Tried:
    """Writes `run.trace["attempts"]`: one line a try, with its outcome (`answered`, or the code of the failure) and its
    milliseconds from the request on. A run that asks more than once has the lines of all its requests, `step` counts
    these from 1.

    Enter it around a request. Whoever cancels that gives the last line its outcome, with `close`.
    """

    def __init__(self, run: Run, attempts: Sequence[Attempt]) -> None:
        self._run = run
        self._attempts = {(one.provider_id, one.model_id): one for one in attempts}
        self._lines: list[dict[str, Any]] = run.trace.setdefault("attempts", [])
        self._step = self._lines[-1]["step"] + 1 if self._lines else 1
        self._line: dict[str, Any] | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self._end("answered")
        else:
            self._end(error.code.value if isinstance(error, ProviderError) else "")

    def next(self, event: AttemptChanged) -> None:
        """A try begins; the one before it failed for this one's reason."""
        self._end(event.reason)
        attempt = self._attempts[event.provider_id, event.model_id]
        if event.backup:
            attempt = attempt.with_backup()
            self._attempts[event.provider_id, event.model_id] = attempt
        self._line = {
            "step": self._step,
            "state": event.state,
            "provider_id": event.provider_id,
            "model_id": event.model_id,
            "credential_source": attempt.credential_source,
            "credential_hint": attempt.credential_hint,
            "credential_kind": attempt.credential_kind,
            "credential_ref": attempt.credential_ref,
            "outcome": "",
        }
        self._lines.append(self._line)
        self._began = time.monotonic() + (event.wait_seconds or 0.0)
        serve(self._run, attempt)

    def _end(self, outcome: str) -> None:
        if self._line is not None:
            self._line["outcome"] = outcome
            self._line["ms"] = max(0, round((time.monotonic() - self._began) * 1000))


def close(run: Run, outcome: str) -> None:
    """Tries of a run that was cancelled ended as the run did."""
    for line in run.trace.get("attempts", ()):
        line["outcome"] = line["outcome"] or outcome
