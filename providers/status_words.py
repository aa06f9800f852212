"""The sentences of the status page: the whole first, then what changed. Pure, over marks and events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers import registry
from providers.judging import SLOW
from providers.models import HealthEvent
from providers.standing import SESSION_EXPIRED, Mark

SHOWN_EVENTS = 30
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True, slots=True)
class Overall:
    """The page's first words; `tone` is ok, warn, bad or none."""

    tone: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Happened:
    """A transition; `tone` and `badge` are those of its label."""

    at: datetime
    sentence: str
    badge: str
    tone: str


def overall(marks: Sequence[Mark]) -> Overall:
    """What a person in a hurry has to know, from the marks of all providers."""
    connected = [one for one in marks if one.connected]
    if not connected:
        return Overall("none", "No provider is connected yet", "Add a key, and its provider is checked from then on.")
    bad = [one for one in connected if one.state in {"down", "expired"}]
    slow = [one for one in connected if one.state == "degraded"]
    troubled = bad or slow
    if not troubled:
        return _quiet(connected)
    verb = _verb(troubled)
    names = _listed([_label(one.provider_id) for one in [*bad, *slow]])
    of = f" of {_number(len(connected)).lower()}" if len(connected) > 1 else ""
    noun = "provider" if len(connected) == 1 else "providers"
    plural = len(troubled) > 1
    title = f"{_number(len(troubled))}{of} connected {noun} {verb[1] if plural else verb[0]}"
    if len(connected) == 1:
        title = f"{_label(connected[0].provider_id)} {verb[0]}"
    rest = "Other providers are not affected." if len(connected) > len(bad) + len(slow) else ""
    effect = "fail" if bad and not slow else "may fail or take longer"
    return Overall("bad" if bad else "warn", title, f"Requests to {names} {effect}. {rest}".strip())


def _quiet(connected: Sequence[Mark]) -> Overall:
    count = len(connected)
    checked = [one for one in connected if one.state == "ok"]
    if not checked:
        return Overall("none", "Nothing has been checked yet", "The first checks are made within a minute.")
    title = f"All {_number(count).lower()} connected providers work" if count > 1 else "The connected provider works"
    if len(checked) < count:
        title = f"{_number(len(checked))} of {_number(count).lower()} connected providers checked so far, no problem"
    return Overall("ok", title, "Every check and answer of the last minutes went well.")


def _verb(troubled: Sequence[Mark]) -> tuple[str, str]:
    """One and several."""
    texts = {one.text for one in troubled}
    if texts == {"Not responding"}:
        return "is not responding", "are not responding"
    if texts == {"Slow"}:
        return "is slow", "are slow"
    if texts == {SESSION_EXPIRED}:
        return "needs a new session", "need new sessions"
    if texts <= {"Key refused", SESSION_EXPIRED}:
        return "refuses its key", "refuse their keys"
    return ("is degraded", "are degraded") if texts == {"Degraded"} else ("has a problem", "have problems")


def happened(events: Sequence[HealthEvent]) -> list[Happened]:
    return [Happened(one.at, _told(one), *_badge(one)) for one in events]


def events_of(names: Collection[str]) -> list[HealthEvent]:
    """The newest transitions of these providers. One query."""
    return list(HealthEvent.objects.filter(health_id__in=names)[:SHOWN_EVENTS])


def _told(event: HealthEvent) -> str:
    label = _label(event.health_id)
    match event.after:
        case "ok" if event.before == "unknown":
            return f"{label} answered its first check."
        case "ok":
            return f"{label} works again, after {duration(event.lasted)}."
        case "degraded" if event.reason == SLOW:
            return f"{label} is slow: checks or answers begin much later than usual."
        case "degraded":
            return f"{label} is degraded: some checks or answers failed."
        case "down":
            return f"{label} does not respond."
        case "expired":
            return f"{label} refused the installation's key."
    return f"{label} has not been heard of for a while."


def _badge(event: HealthEvent) -> tuple[str, str]:
    if event.after == "ok":
        return ("resolved" if event.before != "unknown" else "operational"), ""
    tones = {"degraded": "warn", "down": "bad", "expired": "bad"}
    return event.reason or event.after, tones.get(event.after, "")


def duration(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {word}{'s' if count != 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


def _label(provider_id: str) -> str:
    known = registry.providers().get(provider_id)
    return known.label if known else provider_id


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
