"""What an adapter costs: CPU per 1,000 stream events, beside a reader that only takes the bytes off the same wire."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import uvloop

from providers import http, runtime
from providers.contract import GenerateRequest, Message, OpenCredential, TextPart
from providers.events import TextDelta
from providers.secrets import Secret
from tests.bench import upstream

WIRES = {
    "openai": ("/v1", "/v1/responses"),
    "anthropic": ("", "/v1/messages"),
    "gemini": ("", "/v1beta/models/{model}:streamGenerateContent?alt=sse"),
    "mistral": ("", "/v1/chat/completions"),
    "openai_compatible": ("/v1", "/v1/chat/completions"),
}
# (name, streams at once, events each, events a second each)
LOADS = (("flat out", 8, 5000, 0), ("20 tok/s", 50, 160, 20))
ROUNDS = 3


async def raw(base: str, provider: str, model: str) -> None:
    path = WIRES[provider][1].format(model=model)
    async with http.client().stream("POST", base + path, json={"model": model}) as response:
        async for _ in response.aiter_bytes():
            pass


async def adapted(base: str, provider: str, model: str) -> None:
    async def open_credential(ref: str) -> OpenCredential:
        return OpenCredential(provider, ref, Secret("bench-key"), base_url=base + WIRES[provider][0])

    request = GenerateRequest(model, (Message("user", (TextPart(text="go"),)),))
    seen = 0
    async with aclosing(
        runtime.stream([runtime.Attempt(provider, model, "bench")], request, open_credential)
    ) as events:
        async for event in events:
            seen += len(event.text.split()) if isinstance(event, TextDelta) else 0
    assert seen >= int(model.split("-")[1]), f"{provider}: {seen} words arrived"


type Reader = Callable[[str, str, str], Awaitable[None]]


async def measured(read: Reader, base: str, provider: str, load: tuple[str, int, int, int]) -> float:
    """CPU milliseconds per 1,000 events, the best of a few rounds."""
    _, streams, count, pace = load
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        await asyncio.gather(*(read(base, provider, f"bench-{count}-{pace}") for _ in range(streams)))
        best = min(best, (time.process_time() - begun) / (streams * count) * 1e6)
    return best


async def table(base: str, providers: Sequence[str]) -> None:
    print(f"{'CPU ms per 1,000 events':26}{'load':>12}{'bytes only':>12}{'adapter':>10}{'added':>8}")
    for provider in providers:
        await adapted(base, provider, "bench-10-0")
        for load in LOADS:
            bare = await measured(raw, base, provider, load)
            ours = await measured(adapted, base, provider, load)
            print(f"{provider:26}{load[0]:>12}{bare:12.1f}{ours:10.1f}{ours - bare:8.1f}", flush=True)
    await http.close()


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("providers", nargs="*", choices=[*WIRES, []], help="all of them by default")
    providers = parser.parse_args(arguments).providers or list(WIRES)
    with upstream.running() as base, asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(table(base, providers))
