"""Moments in words, as pages say them: relative up to an hour, then the clock in UTC, then the date."""

from datetime import datetime, timedelta


def ago(moment: datetime, now: datetime) -> str:
    passed = now - moment
    if passed < timedelta(seconds=10):
        return "just now"
    if passed < timedelta(minutes=1):
        return f"{passed.seconds} s ago"
    if passed < timedelta(hours=1):
        return f"{passed.seconds // 60} min ago"
    return f"at {moment:%H:%M} UTC" if moment.date() == now.date() else f"on {day(moment)}"


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def expiry(end: datetime, now: datetime, *, renews: bool) -> tuple[str, str]:
    """The end of a session, a name and a value; one that renews itself goes on after it."""
    left = end - now
    if left <= timedelta(0):
        return ("Expires", "renewed with the next request") if renews else ("Expired", ago(end, now))
    soon = f"in {max(1, left.seconds // 60)} min" if left < timedelta(hours=1) else f"{day(end)}, {end:%H:%M} UTC"
    return "Expires", f"{soon}, then renewed" if renews else soon
