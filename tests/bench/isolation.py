"""What one provider's hang costs the others: their time to the first token while 50 streams to it say nothing.

`uv run python -m tests.bench isolation` drives the runtime against a sandbox process in rounds: quiet, hung, quiet
again. It prints the times with their ratio, beside the ratio of the two quiet rounds, which is what the machine's own
noise amounts to; then how fast a call fails once the hanging provider's circuit is open, and how many get through when
it is half open. `pages_beside` asks the same of a server's pages.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

from providers import http
from providers.breaker import SHORTEST_SECONDS
from providers.contract import Deadlines, GenerateRequest, Message, OpenCredential, TextPart
from providers.errors import ProviderError
from providers.events import TextDelta
from providers.guard import Guard
from providers.runtime import Attempt, stream
from providers.secrets import Secret
from providers.sources import SANDBOX_PATHS
from tests.sandbox.server import SandboxServer, start

HUNG = 50
ROUNDS = 8
ASKS = 200
AT_ONCE = 4
OTHERS = (
    ("anthropic", "claude-sandbox-haiku"),
    ("gemini", "gemini-sandbox-flash"),
    ("mistral", "mistral-sandbox-small"),
)
HANGING = ("openai", "gpt-sandbox")

type Model = tuple[str, str]


class Client:
    """Asks one sandbox through one guard, as a server process does; each stream has a key of its own."""

    def __init__(self, server: SandboxServer) -> None:
        self.ahead = 0.0
        self.guard = Guard(clock=lambda: time.monotonic() + self.ahead)
        self._base = {name: server.url + path for name, path in SANDBOX_PATHS.items()}

    async def first_token(self, model: Model, key: int = 0, patience: float = 60.0) -> float:
        """Milliseconds to the first piece of text. Raises `ProviderError`."""

        async def opened(ref: str) -> OpenCredential:
            return OpenCredential(model[0], ref, Secret(f"sandbox-key-{key}"), base_url=self._base[model[0]])

        deadlines = Deadlines(first_event=patience)
        request = GenerateRequest("", (Message("user", (TextPart(text="Hello /tokens 5"),)),), deadlines=deadlines)
        begun = time.perf_counter()
        async with aclosing(stream([Attempt(*model, "bench")], request, opened, self.guard)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    return (time.perf_counter() - begun) * 1000
        raise AssertionError("there was no text")


async def round_of(client: Client, model: Model) -> list[float]:
    async def some() -> list[float]:
        return [await client.first_token(model) for _ in range(ASKS // AT_ONCE)]

    return [each for found in await asyncio.gather(*(some() for _ in range(AT_ONCE))) for each in found]


class Hanging:
    """Inside, 50 streams wait for a provider that accepted them and says nothing."""

    def __init__(self, client: Client, server: SandboxServer) -> None:
        self._client, self._server = client, server

    async def __aenter__(self) -> None:
        await asyncio.to_thread(self._server.forget)
        await asyncio.to_thread(self._server.arm, "openai", "hang", count=0)
        self._streams = [asyncio.create_task(self._client.first_token(HANGING, key)) for key in range(HUNG)]
        await asyncio.to_thread(self._server.wait_for, lambda _: len(self._server.requests()) >= HUNG, 20)

    async def __aexit__(self, *_: object) -> None:
        for each in self._streams:
            each.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)
        await asyncio.to_thread(self._server.disarm)


def p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


Rounds = dict[Model, list[list[float]]]


async def asked(client: Client, into: Rounds) -> None:
    for model in OTHERS:
        into[model].append(await round_of(client, model))


async def compared(client: Client, server: SandboxServer, seconds: float) -> None:
    """As many rounds as fit, two at least."""
    quiet, hung, again = phases = [Rounds((model, []) for model in OTHERS) for _ in range(3)]
    until = time.monotonic() + seconds
    while len(again[OTHERS[0]]) < 2 or (len(again[OTHERS[0]]) < ROUNDS and time.monotonic() < until):
        await asked(client, quiet)
        async with Hanging(client, server):
            await asked(client, hung)
        await asked(client, again)
    measures: tuple[tuple[str, Callable[[Sequence[float]], float]], ...] = (("p50", statistics.median), ("p99", p99))
    for model in OTHERS:
        for name, measure in measures:
            # The middle of the rounds: on a busy machine one round's p99 is whatever else ran.
            alone, beside, later = (statistics.median(measure(one) for one in each[model]) for each in phases)
            print(f"{model[0]:20}{name:>6}{alone:10.1f}{beside:10.1f}{beside / alone:10.2f}{later / alone:10.2f}")
    print(f"{len(again[OTHERS[0]])} rounds of {ASKS} calls each", flush=True)


async def fast_failures(client: Client, server: SandboxServer) -> None:
    await asyncio.to_thread(server.arm, "openai", "hang", count=0)
    await asyncio.gather(*(client.first_token(HANGING, key, patience=0.2) for key in range(5)), return_exceptions=True)
    await asyncio.to_thread(server.forget)
    took = [await failed(lambda key=key: client.first_token(HANGING, key)) for key in range(1000)]  # type: ignore[misc]
    asked = len(await asyncio.to_thread(server.requests))
    print(f"1,000 calls to a provider whose circuit is open: {asked} sent, the slowest failed in {max(took):.1f} ms")


async def half_open(client: Client, server: SandboxServer) -> None:
    """The circuit of the provider is open; its time is over, and the provider is well again."""
    await asyncio.to_thread(server.disarm)
    await asyncio.to_thread(server.forget)
    client.ahead += SHORTEST_SECONDS
    found = await asyncio.gather(*(client.first_token(HANGING, key) for key in range(HUNG)), return_exceptions=True)
    through = sum(isinstance(one, float) for one in found)
    sent = len(await asyncio.to_thread(server.requests))
    after = await asyncio.gather(*(client.first_token(HANGING, key) for key in range(HUNG)), return_exceptions=True)
    again = sum(isinstance(one, float) for one in after)
    print(f"{HUNG} calls at once to a half-open circuit: {sent} sent, {through} answered; after that {again} of {HUNG}")


async def failed(ask: Callable[[], Awaitable[float]]) -> float:
    begun = time.perf_counter()
    try:
        await ask()
    except ProviderError:
        return (time.perf_counter() - begun) * 1000
    raise AssertionError("it answered")


async def measured(server: SandboxServer, seconds: float) -> None:
    client = Client(server)
    print(f"{'first token, ms':26}{'alone':>10}{f'{HUNG} hang':>10}{'ratio':>10}{'noise':>10}", flush=True)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(http.close)
        for model in OTHERS:
            await client.first_token(model)
        await compared(client, server, seconds)
        await fast_failures(client, server)
        await half_open(client, server)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120.0, help="for the rounds; one that has begun is finished")
    seconds = parser.parse_args(arguments).seconds
    server = start("--pace", "0")
    try:
        asyncio.run(measured(server, seconds))
    finally:
        server.stop()
