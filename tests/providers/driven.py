"""The runtime driven against the sandbox process over HTTP: its provider, its credentials, and what a run yields."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from providers import http, tries
from providers.contract import Deadlines, GenerateRequest, Message, OpenCredential, TextPart
from providers.errors import ProviderError
from providers.events import AttemptChanged, Finished, StreamEvent, TextDelta
from providers.guard import Guard
from providers.runtime import Attempt, prewarm, stream
from providers.secrets import Secret
from tests.sandbox.server import SandboxServer, shared

OPENAI = Attempt("openai", "gpt-sandbox", "sandbox-one", "request")
GEMINI = Attempt("gemini", "gemini-sandbox-flash", "sandbox-two", "fallback")
COMPATIBLE = Attempt("openai_compatible", "compatible-sandbox", "sandbox-three", "fallback")


@cache
def warmed() -> SandboxServer:
    """The shared process, and the adapters imported: that takes seconds, which no test may count."""
    prewarm(["openai", "gemini", "openai_compatible"]).join()
    return shared()


@pytest.fixture
def vendor() -> Iterator[SandboxServer]:
    """The shared sandbox process with nothing armed."""
    server = warmed()
    server.disarm()
    server.forget()
    yield server
    server.disarm()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are too short to notice."""
    monkeypatch.setattr(tries, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(tries, "LONGEST_PAUSE", 0.02)


@pytest.fixture
async def line(anyio_backend: str) -> AsyncIterator[None]:
    """The loop's connections end with the test, and no task is left behind."""
    yield
    await http.close()
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("provider-stream")]
    assert left == []


@dataclass
class Driven:
    """A vendor's process, a guard of its own, and the events of what was asked last."""

    vendor: SandboxServer
    guard: Guard = field(default_factory=Guard)
    events: list[StreamEvent] = field(default_factory=list)

    async def open(self, ref: str) -> OpenCredential:
        """A reference is the secret itself here, before an `@` that names its provider."""
        secret, _, provider_id = ref.partition("@")
        addresses = {
            "openai": self.vendor.openai,
            "gemini": self.vendor.gemini,
            "openai_compatible": self.vendor.compatible,
        }
        return OpenCredential(provider_id, ref, Secret(secret), base_url=addresses[provider_id])

    async def ask(self, *attempts: Attempt, text: str = "Hello", deadlines: Deadlines | None = None) -> Finished:
        """Drive a run to its end; `events` has what came, failure or not."""
        self.events = []
        request = GenerateRequest("", (Message("user", (TextPart(text=text),)),), deadlines=deadlines or Deadlines())
        async with aclosing(stream(named(attempts), request, self.open, self.guard)) as events:
            async for event in events:
                self.events.append(event)
        finished = self.events[-1]
        assert isinstance(finished, Finished)
        return finished

    async def refused(self, *attempts: Attempt, **how: Any) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            await self.ask(*attempts, **how)
        return caught.value

    @property
    def moves(self) -> list[tuple[str, int, str, str]]:
        """(state, number, provider, reason) of every try."""
        changes = [event for event in self.events if isinstance(event, AttemptChanged)]
        return [(one.state, one.attempt, one.provider_id, one.reason) for one in changes]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def asked(self) -> list[str]:
        """Which providers were really called, in order."""
        return [record["provider"] for record in self.vendor.requests()]


def named(attempts: Sequence[Attempt]) -> list[Attempt]:
    return [
        Attempt(one.provider_id, one.model_id, f"{one.credential_ref}@{one.provider_id}", one.reason)
        for one in attempts
    ]
