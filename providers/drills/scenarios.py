"""What happens in each kind of drill, and what has to hold; the bed gives the means."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence

from providers import http
from providers.breaker import FAILURES, SHORTEST_SECONDS
from providers.drills.bed import KEY, Bed
from providers.drills.report import Asked, isolation, listed
from providers.guard import LONGEST_WAIT_SECONDS

BEFORE_SECONDS, DURING_SECONDS, AFTER_SECONDS = 3.0, 3.0, 1.5
# How long the silent provider is waited for, and the slow one takes: longer than the others are measured beside it.
HOLD_SECONDS = 4.0
HURRY_SECONDS = 0.5
BURST = 10
# A refusal by an open circuit needs no answer from anybody.
AT_ONCE_MS = 500.0
SHORT_WAIT, LONG_WAIT = 1.0, 30.0


async def play(bed: Bed) -> None:
    """The whole drill: the others alone, beside the fault, and alone again; then what they noticed."""
    with http.use(bed.http):
        async with bed.http:
            bed.step("Loading the adapters and asking every provider once.")
            for name in (bed.order.provider_id, *bed.others):
                await bed.ask(name)
            gc.collect()  # what the imports left would hold everybody up in the middle of a measurement
            bed.guard.forget()
            await bed.forget()
            bed.step("Measuring the other providers while nothing is wrong.")
            await bed.measure("before", BEFORE_SECONDS)
            await SCENARIOS[bed.order.kind](bed)
            await bed.mend()
            bed.step("Measuring the other providers again.")
            await bed.measure("after", AFTER_SECONDS)
    bed.report.expectations += isolation(bed.report.asked, bed.order.provider_id)
    bed.step("Done.")


# ---------------------------------------------------------------- kinds
async def outage(bed: Bed) -> None:
    """The provider takes every request and says nothing."""
    bed.step(f"The provider says nothing; {bed.order.streams} streams wait for it.")
    await bed.arm("hang")
    asked, _ = await asyncio.gather(bed.flood(patience=HOLD_SECONDS), bed.beside(DURING_SECONDS))
    _classified(bed, asked, "timeout")
    await _all_closed(bed)
    state, _ = bed.circuits()
    bed.report.expect(
        f"The provider's circuit opens after {FAILURES} failures",
        "open",
        f"{state}, after {len(asked)} failures",
        passed=state == "open",
    )
    await _refused_at_once(bed, KEY)
    await bed.mend()
    await _recovers(bed, KEY)


async def rate_limits(bed: Bed) -> None:
    """One key meets a limit on every request."""
    bed.step(
        f"Every request is limited (429, Retry-After {SHORT_WAIT:.0f} s); {bed.order.streams} streams use one key."
    )
    await bed.arm("rate_limit", seconds=SHORT_WAIT)
    asked, _ = await asyncio.gather(bed.flood(KEY), bed.beside(DURING_SECONDS, steadily=KEY))
    _classified(bed, asked, "rate_limited")
    sent, most = len(await bed.sent()), bed.order.streams + FAILURES
    bed.report.expect(
        "The storm is not fed: what was limited is not sent again and again",
        f"at most {most} requests reach the provider: all streams at once, and what left before the circuit opened",
        f"{sent} of {len(asked) + _steady(bed)} calls were sent",
        passed=0 < sent <= most,
    )
    await bed.mend()
    await _keys_apart(bed, f"{KEY}-another")
    await _recovers(bed, KEY)
    await _waits_as_told(bed)


async def slow_start(bed: Bed) -> None:
    """The provider answers, but begins late."""
    bed.step(f"The provider begins {HOLD_SECONDS:.0f} s late; {bed.order.streams} streams wait for it.")
    await bed.arm("slow_first_byte", seconds=HOLD_SECONDS)
    asked, _ = await asyncio.gather(bed.flood(), bed.beside(DURING_SECONDS))
    late = [one for one in asked if one.answered and (one.first_ms or 0) >= HOLD_SECONDS * 1000]
    bed.report.expect(
        "Who waits gets the answer",
        f"{len(asked)} of {len(asked)} answered, none before {HOLD_SECONDS:.0f} s",
        f"{len(late)} of {len(asked)}",
        passed=len(late) == len(asked),
    )
    sent = len(await bed.sent())
    bed.report.expect(
        "Slow is not asked twice", f"{len(asked)} requests", f"{sent} requests", passed=sent == len(asked)
    )
    await _all_closed(bed)
    bed.step("The same with less patience than the provider needs.")
    few = FAILURES - 1
    hurried = await asyncio.gather(*(bed.ask(key=f"{KEY}-{n}", patience=HURRY_SECONDS) for n in range(few)))
    _classified(bed, hurried, "timeout")
    state, _ = bed.circuits()
    bed.report.expect(
        "A slow provider stays in use", "its circuit is closed", f"it is {state}", passed=state == "closed"
    )


async def cut_streams(bed: Bed) -> None:
    """Answers break off in the middle: half with the connection, half as if they were over."""
    bed.step(f"{bed.order.streams} answers break off after their third piece.")
    await bed.arm("cut", count=bed.order.streams // 2)
    await bed.arm("truncate", after=3)
    asked, _ = await asyncio.gather(bed.flood(), bed.beside(DURING_SECONDS, steadily=KEY))
    done = sum(one.answered for one in asked)
    bed.report.expect(
        "No cut answer is taken for a whole one",
        f"0 of {len(asked)} end well",
        f"{done} of {len(asked)}",
        passed=not done,
    )
    _classified(bed, asked, "provider_unavailable")
    kept = sum(one.first_ms is not None for one in asked)
    bed.report.expect(
        "What had arrived was shown",
        f"{len(asked)} of {len(asked)}",
        f"{kept} of {len(asked)}",
        passed=kept == len(asked),
    )
    again = sum(one.tries > 1 for one in asked)
    bed.report.expect("Nothing is asked again once text was shown", "0 retries", f"{again} retried", passed=not again)
    await _all_closed(bed)
    state, _ = bed.circuits()
    bed.report.expect("The provider's circuit opens", "open", state, passed=state == "open")
    await bed.mend()
    await _recovers(bed, KEY)


async def expired_key(bed: Bed) -> None:
    """One key has expired; the provider is well."""
    expired = "sandbox-expired-key"
    bed.step(f"{bed.order.streams} streams use a key that has expired.")
    asked, _ = await asyncio.gather(bed.flood(expired), bed.beside(DURING_SECONDS, steadily=expired))
    _classified(bed, asked, "invalid_auth")
    again = sum(one.tries > 1 for one in asked)
    bed.report.expect("A refused key is not tried again", "0 retries", f"{again} retried", passed=not again)
    await _refused_at_once(bed, expired)
    await _keys_apart(bed, f"{KEY}-renewed")


SCENARIOS: dict[str, Callable[[Bed], Awaitable[None]]] = {
    "outage": outage,
    "rate_limits": rate_limits,
    "slow_start": slow_start,
    "cut_streams": cut_streams,
    "expired_key": expired_key,
}


# ---------------------------------------------------------------- what several of them ask
def _classified(bed: Bed, asked: Sequence[Asked], code: str) -> None:
    right = sum(one.code == code for one in asked)
    bed.report.expect(
        f"Every failure is called {code}",
        f"{len(asked)} of {len(asked)}",
        listed(one.code for one in asked),
        passed=right == len(asked),
    )


def _steady(bed: Bed) -> int:
    return sum(one.provider_id == bed.order.provider_id for one in bed.report.asked)


async def _all_closed(bed: Bed) -> None:
    held = await bed.left_open()
    bed.report.expect("No connection to it stays open", "0", f"{held}", passed=not held)


async def _refused_at_once(bed: Bed, key: str) -> None:
    bed.step("Asking on while the circuit is open.")
    await bed.forget()
    asked = await bed.burst(BURST, key, patience=2 * AT_ONCE_MS / 1000)
    sent, slowest = len(await bed.sent()), max(one.took_ms for one in asked)
    bed.report.expect(
        "While the circuit is open a call fails at once, and nothing is sent",
        f"0 of {BURST} sent, each refused within {AT_ONCE_MS:.0f} ms",
        f"{sent} sent, {listed(one.code for one in asked)}, the slowest in {slowest:.0f} ms",
        passed=not sent and not any(one.answered for one in asked) and slowest <= AT_ONCE_MS,
    )


async def _keys_apart(bed: Bed, key: str) -> None:
    """Another key of the same provider works while the first one is shut out."""
    bed.step("Another key asks the same provider.")
    asked = await bed.burst(BURST, key)
    place, shut = bed.circuits()
    answered = sum(one.answered for one in asked)
    bed.report.expect(
        "One key's trouble is that key's alone",
        f"{BURST} of {BURST} answered with another key; the provider's circuit closed, that of 1 key open",
        f"{answered} of {BURST}; the provider's {place}, {shut} key{'s' if shut != 1 else ''} open",
        passed=answered == BURST and place == "closed" and shut == 1,
    )


async def _recovers(bed: Bed, key: str) -> None:
    bed.step(f"The fault is gone and the circuit's {SHORTEST_SECONDS:.0f} s are over (its clock is turned forward).")
    bed.skip(SHORTEST_SECONDS + 1)
    await bed.forget()
    asked = await bed.burst(BURST, key)
    sent, answered = len(await bed.sent()), sum(one.answered for one in asked)
    bed.report.expect(
        "Half open, the circuit lets exactly one call through",
        f"1 of {BURST} at once reaches the provider",
        f"{sent} reached it, {answered} answered",
        passed=sent == answered == 1,
    )
    asked = await bed.burst(BURST, key)
    answered = sum(one.answered for one in asked)
    bed.report.expect(
        "Its answer closes the circuit",
        f"{BURST} of {BURST} answered",
        f"{answered} of {BURST}, {bed.circuits()[0]}",
        passed=answered == BURST and bed.circuits() == ("closed", 0),
    )


async def _waits_as_told(bed: Bed) -> None:
    """A short Retry-After is waited for, a long one closes the way for that key."""
    bed.step("One request is limited for a second, another for half a minute.")
    await bed.forget()
    await bed.arm("rate_limit", count=1, seconds=SHORT_WAIT)
    one = await bed.ask(key=f"{KEY}-short")
    sent = await bed.sent()
    gap = sent[-1]["started_at"] - sent[0]["started_at"] if len(sent) == 2 else 0.0
    bed.report.expect(
        "A short Retry-After is waited for",
        f"answered by a second request, at least {SHORT_WAIT:.0f} s after the first",
        f"{one.code or 'answered'}, {len(sent)} requests, {gap:.2f} s apart",
        passed=one.answered and gap >= SHORT_WAIT,
    )
    await bed.forget()
    await bed.arm("rate_limit", count=1, seconds=LONG_WAIT)
    asked = [await bed.ask(key=f"{KEY}-long") for _ in range(3)]
    sent_now = len(await bed.sent())
    bed.skip(LONG_WAIT + 1)
    later = await bed.ask(key=f"{KEY}-long")
    waits = [one.retry_after or 0.0 for one in asked]
    bed.report.expect(
        f"A Retry-After of more than {LONGEST_WAIT_SECONDS:.0f} s closes the way for that key until it is over",
        f"1 of 3 sent, each told to wait at most {LONG_WAIT:.0f} s; answered after it",
        f"{sent_now} sent, waits {', '.join(f'{each:.0f} s' for each in waits)}; then {later.code or 'answered'}",
        passed=sent_now == 1 and all(0 < each <= LONG_WAIT for each in waits) and later.answered,
    )
