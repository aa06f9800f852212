"""Times in a few counters: enough for a median and a 95th percentile of many hours without keeping each time. Pure."""

from collections.abc import Iterable
from math import ceil, log

FIRST_MS = 10.0
STEP = 1.25
BINS = 44  # up to about two minutes

type Counts = list[int]


def bin_of(ms: int) -> int:
    if ms <= FIRST_MS:
        return 0
    return min(BINS - 1, ceil(log(ms / FIRST_MS) / log(STEP)))


def counted(counts: Counts, ms: int) -> Counts:
    """The counters with one more time; trailing zeros are not kept."""
    place = bin_of(ms)
    grown = counts + [0] * (place + 1 - len(counts))
    grown[place] += 1
    return grown


def total(many: Iterable[Counts]) -> Counts:
    added: Counts = []
    for counts in many:
        added += [0] * (len(counts) - len(added))
        for place, count in enumerate(counts):
            added[place] += count
    return added


def quantile(counts: Counts, share: float) -> float | None:
    """Milliseconds that `share` of the times did not pass, to within an eighth; None without times."""
    wanted = share * sum(counts)
    seen = 0
    for place, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            # The middle of the bin, as times multiply.
            return FIRST_MS * STEP ** (place - 0.5) if place else FIRST_MS
    return None
