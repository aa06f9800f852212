"""Checks every provider on schedule, from a thread with a loop of its own: unbilled, every five minutes, once for all
processes of an installation."""

import asyncio
import logging
import random
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import F

from providers import checks, health, registry, renewal, sources
from providers.database import in_database
from providers.models import Credential
from providers.own_loop import OwnLoop

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
# A provider in trouble is looked at more often, so that its recovery is seen.
SOONER = timedelta(minutes=1)
TICK_SECONDS = 15.0
KEYS_A_ROUND = 20
AT_ONCE = 4
PURGE_TICKS = 240  # about once an hour


async def _tick_for_ever() -> None:
    ticks = 0
    while True:
        try:
            await in_database(renewal.note_ended)
            await go_round()
            if ticks % PURGE_TICKS == 0:
                await in_database(health.purge)
        except DatabaseError:
            log.warning("No provider is checked: the database is not answering.")
        ticks += 1
        await _loop.rest(TICK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - so that processes do not march in step


async def go_round() -> list[str]:
    """Check what is due and nobody else has taken; the references that were checked."""
    places = await in_database(_due)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(ref: str) -> None:
        async with slots:
            await checks.check(ref)

    await asyncio.gather(*(one(ref) for ref in places))
    return places


def _due() -> list[str]:
    wait = EVERY * random.uniform(0.9, 1.1)  # noqa: S311
    return [ref for name in health.claim(checkable(), wait, SOONER) for ref in refs(name)]


def checkable() -> list[str]:
    """Providers with a credential that is not a person's own."""
    theirs = set(
        Credential.objects.filter(user__isnull=True).order_by().values_list("provider_id", flat=True).distinct()
    )
    ours = {one.provider_id for one in sources.descriptors()}
    return [one.provider_id for one in registry.available() if one.provider_id in theirs | ours]


def refs(provider_id: str) -> list[str]:
    """What is checked of a provider: the installation's credential, then workspaces', longest unchecked first. A pasted
    session that has ended stays so until somebody pastes another."""
    ours = [one.ref for one in sources.descriptors() if one.provider_id == provider_id]
    rows = Credential.objects.filter(provider_id=provider_id, user__isnull=True)
    rows = rows.exclude(method=Credential.Method.BEARER, state__in=Credential.OVER)
    oldest = rows.order_by(F("checked_at").asc(nulls_first=True)).values_list("pk", flat=True)[:KEYS_A_ROUND]
    return [*ours, *(f"credential:{pk}" for pk in oldest)]


_loop = OwnLoop("health", _tick_for_ever)


def start_in_background() -> None:
    """Start the thread of this process; once. Returns at once."""
    _loop.start()


def stop() -> None:
    _loop.stop()
