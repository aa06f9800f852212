"""Drives a plan's attempts through their adapters; retry and fallback belong here, so far only the first runs."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import httpx2

from providers import http, registry
from providers.contract import GenerateRequest, Message, OpenCredential, ProviderRuntime, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import AttemptChanged, StreamEvent
from providers.halves import whole
from providers.pump import last, pumped
from providers.secrets import Secret

__all__ = ["Attempt", "OpenByRef", "adapter", "hang_up", "prewarm", "pumped", "stream"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: which model, through which credential (by reference), and why it stands at its place."""

    provider_id: str
    model_id: str
    credential_ref: str
    reason: str = ""


type OpenByRef = Callable[[str], Awaitable[OpenCredential]]


async def stream(
    attempts: Sequence[Attempt], request: GenerateRequest, open_credential: OpenByRef
) -> AsyncGenerator[StreamEvent]:
    """The events of a run, ending with `Finished`. Raises `ProviderError`.

    Each attempt begins with `AttemptChanged`; its model replaces the request's. Close this generator, or cancel the
    task that reads it, and the upstream socket is closed within a second.
    """
    # Only the first: which errors lead to the next one is decided here when there is a policy for it.
    for number, attempt in enumerate(attempts[:1], start=1):
        yield AttemptChanged("attempt", number, attempt.provider_id, attempt.model_id, attempt.reason)
        runtime = await adapter(attempt.provider_id)
        credential = await open_credential(attempt.credential_ref)
        events = runtime.stream_generate(credential, replace(request, model_id=attempt.model_id))
        async with aclosing(whole(events)) as mended:
            async for event in mended:
                yield event


async def hang_up() -> None:
    """Close the running loop's connections to every provider; for the end of a loop."""
    await http.close()


async def adapter(provider_id: str) -> ProviderRuntime:
    """A provider's adapter; its first import, seconds of work, happens in a thread. Raises `ProviderError`."""
    provider = registry.providers().get(provider_id)
    if provider is None or provider.status != "available":
        raise ProviderError(
            ErrorCode.MODEL_NOT_FOUND,
            "This provider is not available here.",
            provider_id=provider_id,
            detail="unknown_provider",
        )
    if provider_id not in _imported:
        _imported[provider_id] = await asyncio.to_thread(registry.runtime, provider_id)
    return _imported[provider_id]


_imported: dict[str, ProviderRuntime] = {}


# ---------------------------------------------------------------- start-up
def prewarm(provider_ids: Iterable[str]) -> threading.Thread:
    """Import these adapters and play one answer through each, in a thread with a loop of its own.

    Returns the thread, already running; nobody has to wait for it. A provider that cannot be warmed is logged.
    """
    names = tuple(provider_ids)
    thread = threading.Thread(target=lambda: asyncio.run(_rehearse(names)), name="prewarm", daemon=True)
    thread.start()
    return thread


async def _rehearse(provider_ids: tuple[str, ...]) -> None:
    http.ssl_context()
    for provider_id in provider_ids:
        try:
            await _play(provider_id)
        except (ImportError, ProviderError) as error:
            logger.warning("could not prewarm %s: %s", provider_id, error)


async def _play(provider_id: str) -> None:
    runtime = await adapter(provider_id)
    script: bytes | None = getattr(runtime, "rehearsal", None)
    if script is None:
        return
    stage = httpx2.MockTransport(lambda _: httpx2.Response(httpx2.codes.OK, content=script))
    credential = OpenCredential(provider_id, "rehearsal", Secret("rehearsal"), base_url="http://localhost")
    request = GenerateRequest(model_id="rehearsal", messages=(Message("user", (TextPart(text="ready?"),)),))
    async with http.make(stage) as client:
        with http.use(client):
            await last(runtime.stream_generate(credential, request))
