"""The dialects, each an adapter with the wire it speaks, and how a test plugs one in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from providers import http, registry
from providers.contract import Deadlines, GenerateRequest, Message, OpenCredential, Origin, ProviderRuntime, TextPart
from providers.errors import ProviderError
from providers.events import Finished, StreamEvent
from providers.secrets import Secret
from tests.contract import anthropic_wire, compatible_wire, gemini_wire, mistral_wire, openai_wire
from tests.contract.answers import MODEL
from tests.contract.wire import Script, Wire

SECRET = "sk-contract-0123456789abcdef"
HURRIED = Deadlines(connect=0.2, first_event=0.2, idle=0.2, total=5)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's adapter and the module that writes its wire."""

    provider_id: str
    wire: ModuleType
    base_url: str

    @property
    def runtime(self) -> ProviderRuntime:
        return registry.runtime(self.provider_id)

    def credential(self, secret: str = SECRET, **over: Any) -> OpenCredential:
        return replace(OpenCredential(self.provider_id, "credential:1", Secret(secret), base_url=self.base_url), **over)

    @property
    def origin(self) -> Origin:
        """Of what this dialect's credential gets from the model."""
        return self.credential().origin(MODEL)

    async def read(
        self,
        request: GenerateRequest,
        credential: OpenCredential | None = None,
        into: list[StreamEvent] | None = None,
    ) -> list[StreamEvent]:
        """All events; `into` keeps what came before a failure."""
        events = [] if into is None else into
        async for event in self.runtime.stream_generate(credential or self.credential(), request):
            events.append(event)
        return events

    async def fails(self, request: GenerateRequest, credential: OpenCredential | None = None) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            await self.read(request, credential)
        return caught.value

    def secret_in(self, wire: Wire) -> str:
        """The key as the vendor reads it from the last request."""
        return wire.head.get("x-goog-api-key") or wire.head["authorization"].removeprefix("Bearer ")


DIALECTS = [
    Dialect("openai", openai_wire, "http://vendor.test/v1"),
    Dialect("anthropic", anthropic_wire, "http://vendor.test"),
    Dialect("gemini", gemini_wire, "http://vendor.test"),
    Dialect("mistral", mistral_wire, "http://vendor.test"),
    Dialect("openai_compatible", compatible_wire, "http://vendor.test/v1"),
]


def speaking(*provider_ids: str) -> pytest.MarkDecorator:
    """Only these dialects: the others have no word for what the test is about."""
    chosen = [dialect for dialect in DIALECTS if dialect.provider_id in provider_ids]
    return pytest.mark.parametrize("dialect", chosen, ids=provider_ids)


@contextmanager
def plugged(*scripts: Script | Exception) -> Iterator[Wire]:
    """The house's shared client on a scripted wire."""
    wire = Wire(*scripts)
    with http.use(http.make(wire)):
        yield wire


def asked(text: str = "hi", **over: Any) -> GenerateRequest:
    messages = over.pop("messages", (Message("user", (TextPart(text=text),)),))
    return GenerateRequest(MODEL, messages, **over)


def finished(events: list[StreamEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return last
