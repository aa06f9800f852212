"""Rules for every page and endpoint: not too large, never cached by others, and a `Problem` becomes its answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from project.bounds import limit_of
from project.problems import answer, problem_of


class HouseRules:
    """Runs with a sync and with an async view alike, without a change of thread."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.asynchronous = iscoroutinefunction(get_response)
        if self.asynchronous:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.asynchronous:
            return self._later(request)
        return finished(refusal(request) or self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return finished(refusal(request) or await self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        problem = problem_of(exception)
        return answer(request, problem) if problem else None


def refusal(request: HttpRequest) -> HttpResponse | None:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    limit, problem = limit_of(request.path, request.META.get("CONTENT_TYPE", ""))
    if declared.isdigit() and int(declared) > limit:
        return answer(request, problem)
    return None


def finished(response: HttpResponseBase) -> HttpResponseBase:
    """What a person or a token is shown is theirs: no shared cache keeps it."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
