"""What a run that ended says about the providers it tried: passed on to their health, off the path of any answer."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from chat.database import in_db
from chat.models import Run
from providers import health
from providers.errors import ProviderError
from providers.guard import OURS
from providers.health import Heard

ANSWERED = "answered"
# So many are kept while the database is away; health needs the newest only.
MOST = 1000


def of(run: Run, error: ProviderError | None, ended: datetime | None = None) -> list[Heard]:
    """One for each try whose outcome is known; a try that somebody stopped has none. Call it as the run ends."""
    ended = ended or timezone.now()
    lines: list[dict[str, Any]] = run.trace.get("attempts", [])
    found = []
    for line in lines:
        last = line is lines[-1]
        outcome = line.get("outcome", "")
        if not outcome or (last and error is not None and error.detail in OURS):
            continue
        code = "" if outcome == ANSWERED else outcome
        first = _first_word(run, line, ended) if last and not code else None
        found.append(Heard(line["provider_id"], run.workspace_id, line["credential_source"], code, first))
    return found


def _first_word(run: Run, line: dict[str, Any], ended: datetime) -> int | None:
    """Milliseconds from the request of the last try to its first content."""
    if run.first_content_at is None:
        return None
    before_end = (ended - run.first_content_at).total_seconds() * 1000
    tried: int = line["ms"]
    return max(0, round(tried - before_end))


class Hearing:
    """Collects what runs of one process say, and hands it on in one go."""

    def __init__(self) -> None:
        self._waiting: list[Heard] = []

    def add(self, heard: Iterable[Heard]) -> None:
        self._waiting = [*self._waiting, *heard][-MOST:]

    async def hand_on(self) -> None:
        """Tell the providers' health what came since the last time; costs nothing when that is nothing."""
        if self._waiting:
            taken, self._waiting = self._waiting, []
            await in_db(health.record_runs, taken)
