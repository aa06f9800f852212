"""`/v1/…`: what an OpenAI client asks for, with one of our API tokens as its key. Sessions are not taken here, so no
page of another site can ask."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import wraps
from typing import Any

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts.actors import Scope, actor_from_scope, scope_of
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from chat.database import in_db
from chat.gateway import completions, listing, passing, responses, troubles, watch
from chat.gateway.passing import Passage
from chat.gateway.shapes import Question
from chat.models import Run
from providers.errors import ProviderError
from providers.events import CONTENT_EVENTS, Finished, StreamEvent
from providers.pump import last

READING = "models"
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

# Django's own types know no view that is a coroutine.
type View = Callable[..., Any]


def door(scope: str) -> Callable[[View], View]:
    """Who asks is known by token alone; a refusal is told the way OpenAI's clients read it."""

    def wrap(view: View) -> View:
        @wraps(view)
        async def entered(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            try:
                answer: HttpResponseBase = await view(request, await _actor(request, scope), **kwargs)
            except (Problem, ProviderError) as error:
                return troubles.response(error)
            return answer

        return csrf_exempt(login_not_required(entered))

    return wrap


async def _actor(request: HttpRequest, scope: str) -> Actor:
    actor = await actor_from_scope(_scope(request)) if "Authorization" in request.headers else None
    if actor is None:
        raise watch.no_token()
    if not actor.may(scope):
        raise Problem(403, "scope_missing", f"This needs an API token with the scope {scope}.")
    return actor


def _scope(request: HttpRequest) -> Scope:
    return scope_of(request, "Authorization")


@door(READING)
@require_GET
async def models(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """`GET /v1/models`: what a request may name."""
    return _json({"object": "list", "data": await in_db(listing.models, actor)})


@door(READING)
@require_GET
async def model(request: HttpRequest, actor: Actor, name: str) -> HttpResponseBase:
    """`GET /v1/models/<name>`."""
    found = next((one for one in await in_db(listing.models, actor) if one["id"] == name), None)
    if found is None:
        raise not_found()
    return _json(found)


@door(watch.SCOPE)
@require_POST
async def chat_completions(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """`POST /v1/chat/completions`."""
    asked, question = completions.asked(request.read())
    passage = await passing.enter(actor, question)
    run_id, stream = passage.run.pk.hex, passing.events(passage, actor, _scope(request))
    if not asked.stream:
        finished = await last(stream)
        return _json(completions.whole(run_id, finished, passage.run.served_model), _facts(passage, question))
    usage = bool(asked.stream_options and asked.stream_options.include_usage)
    chunks = completions.Chunks(run_id, usage=usage)
    body = _told(await _first(stream), stream, passage.run, chunks.of)
    return _stream(_lines(body), _facts(passage, question))


@door(watch.SCOPE)
@require_POST
async def create_response(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """`POST /v1/responses`."""
    asked, question = responses.asked(request.read())
    passage = await passing.enter(actor, question)
    told = responses.Told(passage.run.pk.hex, passage.run.served_model)
    stream = passing.events(passage, actor, _scope(request))
    if not asked.stream:
        finished = await last(stream)
        return _json(responses.whole(told, finished, passage.run.served_model), _facts(passage, question))
    body = _told(await _first(stream), stream, passage.run, told.of)
    return _stream(_events(told, body), _facts(passage, question))


# ---------------------------------------------------------------- the stream
async def _first(stream: AsyncGenerator[StreamEvent]) -> StreamEvent:
    """The first thing that a client is told: until then a failure is still an answer with its own status."""
    async for event in stream:
        if isinstance(event, (*CONTENT_EVENTS, Finished)):
            return event
    raise AssertionError("a stream ends with Finished or raises")


async def _told(
    first: StreamEvent,
    stream: AsyncGenerator[StreamEvent],
    run: Run,
    tell: Callable[[StreamEvent, str], Iterable[Mapping[str, Any]]],
) -> AsyncGenerator[Mapping[str, Any]]:
    """What a client is told, until the end."""
    async with aclosing(stream):
        for one in tell(first, run.served_model):
            yield one
        async for event in stream:
            for one in tell(event, run.served_model):
                yield one


async def _lines(body: AsyncGenerator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """Chat Completions: nameless events, and a word of its own at a good end. A failure is an error, never an end."""
    try:
        async for chunk in body:
            yield b"data: " + msgspec.json.encode(chunk) + b"\n\n"
    except (Problem, ProviderError) as error:
        yield b"data: " + msgspec.json.encode(troubles.body(error)) + b"\n\n"
        return
    finally:
        await body.aclose()
    yield b"data: [DONE]\n\n"


async def _events(told: responses.Told, body: AsyncGenerator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """Responses: each event under its name."""
    for opening in told.begin():
        yield _named(opening)
    try:
        async for event in body:
            yield _named(event)
    except (Problem, ProviderError) as error:
        for one in told.failed(troubles.body(error)["error"]):
            yield _named(one)
    finally:
        await body.aclose()


def _named(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: ".encode() + msgspec.json.encode(event) + b"\n\n"


# ---------------------------------------------------------------- answers
def _facts(passage: Passage, question: Question) -> dict[str, str]:
    """What an answer says about itself beside its text."""
    run = passage.run
    facts = {
        "X-Parley-Run": str(run.pk),
        "X-Parley-Model": run.served_model,
        "X-Parley-Credential": f"{run.credential_source} {run.credential_hint}".strip(),
        "X-Parley-Ignored": ", ".join(name for name in question.ignored if name.isidentifier() and name.isascii()),
    }
    return {name: value.encode("ascii", "ignore").decode() for name, value in facts.items() if value}


def _json(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(answer),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _stream(body: AsyncIterator[bytes], headers: Mapping[str, str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(body, content_type="text/event-stream", headers={**HEADERS, **headers})
