"""How a refusal is said: problem+json (RFC 9457) to programs, a page with the same words to people."""

import json
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.problems import Problem, not_found

JSON = "application/problem+json"
BAD_REQUEST = Problem(400, "bad_request", "This request makes no sense to us.", "Go back and try again.")
FORBIDDEN = Problem(403, "forbidden", "You may not do this.", "Ask an administrator of your workspace.")
CSRF = Problem(403, "csrf_failed", "This page is too old to send.", "Reload the page and send it again.")
TOO_LARGE = Problem(413, "body_too_large", "This is too large to send.", "A request may carry at most 2 MiB.")
TOO_LARGE_FILES = Problem(
    413,
    "body_too_large",
    "These files are too large to send.",
    "A file may have 20 MB, all of one message 50 MB.",
)
BROKEN = Problem(500, "internal", "This failed on our side.", "It is in the server's log. Nothing was changed.")
STORAGE = Problem(503, "storage_unavailable", "The database is not answering.", "Try again in a moment.", retry_after=5)


def body(problem: Problem) -> bytes:
    """The problem+json of `problem`; `type` points to its line in the API documentation."""
    fields = {
        "type": f"/api/docs/#problem-{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    return json.dumps(fields | problem.extra, default=str).encode()


def page(problem: Problem) -> bytes:
    """The same words as HTML. Needs no request and no database, so it works when those are what failed."""
    return render_to_string("project/problem.html", {"problem": problem}).encode()


def for_program(path: str, accept: str) -> bool:
    """Whether whoever asked reads JSON: everything under the API, and what does not take HTML elsewhere."""
    if path.startswith(("/api/", "/v1/")):
        return not path.startswith("/api/docs/")
    return "application/json" in accept and "text/html" not in accept


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    if for_program(request.path, request.headers.get("Accept", "")):
        response = HttpResponse(body(problem), content_type=JSON, status=problem.status)
    elif problem.page:
        response = HttpResponseRedirect(reverse(problem.page, query={"next": request.get_full_path()}))
    else:
        response = HttpResponse(page(problem), status=problem.status)
    response["Cache-Control"] = "no-store"
    if "retry_after" in problem.extra:
        response["Retry-After"] = str(problem.extra["retry_after"])
    return response


def problem_of(error: BaseException | None) -> Problem | None:
    """The problem that an exception of ours or of the database stands for; None for a bug."""
    match error:
        case Problem():
            return error
        case RequestDataTooBig():
            return TOO_LARGE
        case OperationalError() | InterfaceError():
            return STORAGE
    return None


# ---------------------------------------------------------------- what urls.py names
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, problem_of(exception) or BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, FORBIDDEN)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, not_found())


def broken(request: HttpRequest) -> HttpResponse:
    return answer(request, problem_of(sys.exception()) or BROKEN)


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    return answer(request, CSRF)
