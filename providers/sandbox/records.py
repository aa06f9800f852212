"""What reached the sandbox: a bounded ring of requests, so that a test can see when a socket was closed, and why."""

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

KEPT = 500
WHOLE_BODY = 64 * 1024
SHORT_TEXT = 500


@dataclass(slots=True)
class Record:
    """One request. Times are unix seconds; `outcome` is None while it runs, then `completed`, `client_closed`,
    `refused:<status>` or `fault:<name>`; `deltas_sent` counts pieces of the answer that left."""

    id: int
    provider: str
    path: str
    key_hint: str
    started_at: float = field(default_factory=time.time)
    model: str = ""
    ended_at: float | None = None
    outcome: str | None = None
    deltas_sent: int = 0
    body: Any = None

    def end(self, outcome: str) -> None:
        if self.outcome is None:
            self.ended_at, self.outcome = time.time(), outcome


class Ring:
    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._ids = count(1)

    def open(self, *, provider: str, path: str, key_hint: str) -> Record:
        record = Record(next(self._ids), provider, path, key_hint)
        self._records.append(record)
        return record

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(record) for record in self._records]

    def clear(self) -> None:
        self._records.clear()


def kept(body: Any, size: int) -> Any:
    """A request body as a record keeps it: whole when small, else with long texts cut short, else its size only."""
    if size <= WHOLE_BODY:
        return body
    short = _shortened(body)
    return short if len(json.dumps(short)) <= WHOLE_BODY else {"omitted_bytes": size}


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > SHORT_TEXT:
        return f"{value[:SHORT_TEXT]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
