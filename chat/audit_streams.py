"""Proves on a live database that every ended stream is whole and means what was stored with it: the message, or the
output of a run that has none."""

from collections.abc import Iterator

from chat.models import Run, StreamEvent
from chat.protocol import Entry, fold


def faults() -> Iterator[tuple[Run, str]]:
    """Each ended run whose journal is broken, with what is wrong; runs whose journal was purged are skipped."""
    ended = Run.objects.exclude(state__in=Run.ACTIVE).select_related("answer").order_by("created_at")
    for run in ended.iterator(chunk_size=500):
        rows = StreamEvent.objects.filter(run=run).order_by("sequence")
        entries = [Entry(*row) for row in rows.values_list("sequence", "event_type", "data")]
        if entries and (fault := _fault(run, entries)):
            yield run, fault


def _fault(run: Run, entries: list[Entry]) -> str:
    if [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        return "its sequence has a gap or a double"
    if [entry.terminal for entry in entries] != [False] * (len(entries) - 1) + [True]:
        return "it does not end with exactly one terminal event"
    if fold(entries) != (run.answer.parts if run.answer is not None else run.output.get("parts")):
        return "its events do not fold into the stored message"
    return ""
