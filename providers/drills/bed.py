"""Where a drill happens: a guard, a clock and connections of its own, over a sandbox that nobody else speaks to."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx2

from providers import http
from providers.contract import Deadlines, GenerateRequest, Message, OpenCredential, TextPart
from providers.drills.report import Asked, Phase, Report, Step
from providers.errors import ProviderError
from providers.events import AttemptChanged, TextDelta
from providers.guard import Guard
from providers.runtime import Attempt, stream
from providers.sandbox.listing import MODELS
from providers.secrets import Secret
from providers.sources import SANDBOX_PATHS

PROVIDERS = tuple(SANDBOX_PATHS)
KEY = "sandbox-drill"
WORDS = "Hello /tokens 5"
# Each of the others is asked so often: enough to see a delay, little enough to leave the machine to its real work.
EVERY = 0.1
ARRIVAL_SECONDS = 5.0
CLOSED_SECONDS = 2.0
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """Which provider fails, how, and under how many streams at once."""

    provider_id: str
    kind: str
    streams: int


class OnlyTo(httpx2.AsyncBaseTransport):
    """Lets requests to one address pass and refuses every other, so that a drill cannot reach a vendor."""

    def __init__(self, address: str) -> None:
        self._place = httpx2.URL(address).netloc
        self._inner = http.transport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.netloc != self._place:
            raise httpx2.ConnectError("A drill speaks to its own sandbox only.", request=request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Bed:
    """`url` and `secret` are those of the drill's sandbox. Enter `http.use(bed.http)` around everything asked here."""

    def __init__(self, order: Order, url: str, secret: str) -> None:
        self.order = order
        self.report = Report()
        self.guard = Guard(clock=self._now)
        self.http = http.make(OnlyTo(url))
        self._url = url
        self._secret = {"x-sandbox-secret": secret}
        self._ahead = 0.0
        self._began = time.monotonic()

    @property
    def others(self) -> list[str]:
        return [name for name in PROVIDERS if name != self.order.provider_id]

    def step(self, text: str) -> None:
        self.report.steps.append(Step(round(time.monotonic() - self._began, 1), text))

    # ------------------------------------------------------------ circuits
    def skip(self, seconds: float) -> None:
        """Turn the guard's clock forward: what it would wait for has passed."""
        self._ahead += seconds

    def circuits(self) -> tuple[str, int]:
        """The state of the faulty provider's circuit, and how many keys of it have one that is not closed."""
        states = self.guard.states()
        place = (self.order.provider_id, self._base(self.order.provider_id))
        keys = [key for key in states if key[:2] == place and len(key) > 2]
        return states.get(place, "closed"), len(keys)

    def _now(self) -> float:
        return time.monotonic() + self._ahead

    # ------------------------------------------------------------ asking
    async def ask(
        self, provider_id: str = "", key: str = KEY, *, patience: float = PATIENCE, phase: Phase = "during"
    ) -> Asked:
        """One stream through the real runtime, to its end; the faulty provider when none is named. A failure is a
        result."""
        name = provider_id or self.order.provider_id
        model = next(one.model_id for one in MODELS[name] if one.generates and not one.reasons)
        message = Message("user", (TextPart(text=WORDS),))
        request = GenerateRequest(model, (message,), deadlines=Deadlines(first_event=patience, total=2 * PATIENCE))
        at, began = time.monotonic() - self._began, time.perf_counter()
        tries, first, failure = 0, None, None

        async def opened(ref: str) -> OpenCredential:
            return OpenCredential(name, ref, Secret(key), base_url=self._base(name))

        try:
            async with aclosing(stream([Attempt(name, model, "drill")], request, opened, self.guard)) as events:
                async for event in events:
                    tries += isinstance(event, AttemptChanged)
                    if first is None and isinstance(event, TextDelta):
                        first = _ms(began)
        except ProviderError as error:
            failure = error
        took = _ms(began)
        if failure is None:
            return Asked(name, phase, at, took, tries, first)
        code, detail = failure.code.value, failure.detail or ""
        return Asked(name, phase, at, took, tries, first, code, detail, failure.retry_after)

    async def flood(self, key: str = "", *, patience: float = PATIENCE) -> list[Asked]:
        """All streams of the drill at once, each with a key of its own unless one is given."""
        keys = [key or f"{KEY}-{number}" for number in range(self.order.streams)]
        return await asyncio.gather(*(self.ask(key=each, patience=patience) for each in keys))

    async def burst(self, count: int, key: str = KEY, *, patience: float = PATIENCE) -> list[Asked]:
        return await asyncio.gather(*(self.ask(key=key, patience=patience) for _ in range(count)))

    async def measure(self, phase: Phase, seconds: float) -> None:
        """Ask every other provider steadily and note how long the first token took."""
        await asyncio.gather(*(self._steadily(name, KEY, phase, seconds) for name in self.others))

    async def beside(self, seconds: float, *, steadily: str = "") -> None:
        """Measure the others once the flood has reached the faulty provider; with a key, that one is asked on too."""
        await self._arrived()
        work = [self.measure("during", seconds)]
        if steadily:
            work.append(self._steadily(self.order.provider_id, steadily, "during", seconds))
        await asyncio.gather(*work)

    async def _steadily(self, provider_id: str, key: str, phase: Phase, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while clock() < end:
            due = clock() + EVERY
            self.report.asked.append(await self.ask(provider_id, key, phase=phase))
            await asyncio.sleep(max(0.0, due - clock()))

    # ------------------------------------------------------------ the sandbox
    async def arm(self, fault: str, *, count: int = 0, **order: Any) -> None:
        """Let the next `count` requests of the faulty provider fail; 0 stands for all."""
        await self._control(
            "POST", "faults", {"provider": self.order.provider_id, "fault": fault, "count": count, **order}
        )

    async def mend(self) -> None:
        """Disarm everything."""
        await self._control("DELETE", "faults")

    async def forget(self) -> None:
        await self._control("DELETE", "requests")

    async def sent(self) -> list[dict[str, Any]]:
        """What reached the faulty provider since `forget`, oldest first."""
        found: Sequence[dict[str, Any]] = (await self._control("GET", "requests")).json()
        return [one for one in found if one["provider"] == self.order.provider_id]

    async def left_open(self) -> int:
        """Connections to the faulty provider that are still open after two seconds."""
        end = time.monotonic() + CLOSED_SECONDS
        while True:
            held = sum(one["ended_at"] is None for one in await self.sent())
            if not held or time.monotonic() > end:
                return held
            await asyncio.sleep(0.05)

    async def _arrived(self) -> None:
        end = time.monotonic() + ARRIVAL_SECONDS
        while len(await self.sent()) < self.order.streams and time.monotonic() < end:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)

    async def _control(self, method: str, what: str, body: Any = None) -> httpx2.Response:
        address = f"{self._url}/_sandbox/{what}"
        answer = await self.http.request(method, address, json=body, headers=self._secret)
        return answer.raise_for_status()

    def _base(self, provider_id: str) -> str:
        return self._url + SANDBOX_PATHS[provider_id]


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
