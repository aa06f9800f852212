"""Drives a plan's attempts through their adapters, one try after the other; which try follows is `tries`' rule."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

import httpx2

from providers import http, registry
from providers.contract import GenerateRequest, Message, OpenCredential, ProviderRuntime, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import CONTENT_EVENTS, Finished, StreamEvent
from providers.guard import Guard
from providers.halves import whole
from providers.pump import last, pumped
from providers.secrets import Secret
from providers.tries import Attempt, Tries

__all__ = ["Attempt", "OpenByRef", "Renew", "adapter", "guard", "hang_up", "prewarm", "pumped", "stream"]

logger = logging.getLogger(__name__)

type OpenByRef = Callable[[str], Awaitable[OpenCredential]]
# Given a session that was refused, a new one of the same reference.
type Renew = Callable[[OpenCredential], Awaitable[OpenCredential]]

# What proves that a provider works.
ANSWERS = (*CONTENT_EVENTS, Finished)

# The process's circuits and slots.
guard = Guard()


async def stream(
    attempts: Sequence[Attempt],
    request: GenerateRequest,
    open_credential: OpenByRef,
    through: Guard = guard,
    *,
    renew: Renew | None = None,
) -> AsyncGenerator[StreamEvent]:
    """The events of a run, ending with `Finished`. Raises the `ProviderError` of the last try.

    Each try begins with `AttemptChanged`: a failure before the first content is tried again or handed to the next
    attempt, as `tries` says; after it, it ends the run. The attempt's model replaces the request's; the request's total
    deadline bounds all tries together. A session that is refused is renewed once, by `renew`. Close this generator, or
    cancel the task that reads it, and the upstream socket is closed within a second.
    """
    clock = asyncio.get_running_loop().time
    tries = Tries(attempts, until=clock() + request.deadlines.total)
    held: OpenCredential | None = None
    while True:
        yield tries.announcement
        try:
            await asyncio.sleep(tries.wait)
            runtime = await adapter(tries.attempt.provider_id)
            if tries.renewing and held is not None and renew is not None:
                held = await renew(held)
            else:
                held = await open_credential(tries.attempt.credential_ref)
            asked = _for(tries.attempt, request, tries.until - clock())
            async with aclosing(_once(runtime, held, asked, through)) as events:
                async for event in events:
                    tries.saw(event)
                    yield event
            return
        except ProviderError as error:
            if not tries.go_on(error, clock()):
                raise


async def _once(
    runtime: ProviderRuntime, credential: OpenCredential, request: GenerateRequest, through: Guard
) -> AsyncGenerator[StreamEvent]:
    async with through.call(credential) as call:
        silent = True
        async with aclosing(whole(runtime.stream_generate(credential, request))) as mended:
            async for event in mended:
                if silent and isinstance(event, ANSWERS):
                    silent = False
                    call.answered()
                yield event


def _for(attempt: Attempt, request: GenerateRequest, seconds: float) -> GenerateRequest:
    deadlines = replace(request.deadlines, total=max(seconds, 0.0))
    tools = request.tools if attempt.tools else ()
    return replace(request, model_id=attempt.model_id, tools=tools, deadlines=deadlines)


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
        # Gathered, a stranger's adapter may fail to import in any way it likes.
        (found,) = await asyncio.gather(asyncio.to_thread(registry.runtime, provider_id), return_exceptions=True)
        if isinstance(found, BaseException):
            logger.error("The adapter of %s cannot be loaded.", provider_id, exc_info=found)
            words = "This provider's adapter cannot be loaded here."
            code = ErrorCode.PROVIDER_UNAVAILABLE
            raise ProviderError(code, words, provider_id=provider_id, detail="adapter_broken")
        _imported[provider_id] = found
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
        except ProviderError as error:
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
