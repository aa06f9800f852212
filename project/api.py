"""The conventions of the API: how a refusal is typed and how a list is cut into pages."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from accounts.problems import Problem, not_found
from project.problems import CSRF, FORBIDDEN, JSON, body, problem_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module through its settings

__all__ = ["Pages", "problem_handler"]


class Pages(CursorPagination):
    """`?cursor=` and `?limit=`; the answer holds `results` and the addresses of the `next` and `previous` page."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-created_at"

    def get_ordering(
        self, request: Request, queryset: "QuerySet[Any] | Sequence[Any]", view: "APIView | None"
    ) -> tuple[str, ...]:
        """Newest first, unless the view names another `page_order`."""
        return (getattr(view, "page_order", self.ordering),)

    def paginate_queryset(
        self, queryset: "QuerySet[Any] | Sequence[Any]", request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (exceptions.NotFound, InvalidValue, ValueError, OverflowError) as error:
            raise exceptions.ValidationError({"cursor": ["This is not a cursor that a page gave out."]}) from error


def problem_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The problem+json for what a view raised; None for a bug, which then becomes a plain 500 without its traceback."""
    problem = problem_of(error) or framework_problem(error)
    if problem is None:
        return None
    response = HttpResponse(body(problem), status=problem.status, content_type=JSON)
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if "retry_after" in problem.extra:
        response["Retry-After"] = str(problem.extra["retry_after"])
    return response


def framework_problem(error: Exception) -> Problem | None:
    match error:
        case Http404() | exceptions.NotFound():
            return not_found()
        case PermissionDenied():
            return FORBIDDEN
        case exceptions.APIException():
            return api_problem(error)
    return None


def api_problem(error: exceptions.APIException) -> Problem:
    """Our words for what the framework found; a code that a view chose itself is kept."""
    match error:
        case exceptions.ValidationError():
            fields = list(field_errors(error.get_full_details()))
            return Problem(400, "invalid_request", "A field makes no sense.", "See `errors`.", errors=fields)
        case exceptions.ParseError():
            return Problem(400, "malformed", "The body cannot be read.", "Send one valid JSON object.")
        case exceptions.Throttled():
            wait = int(getattr(error, "wait", None) or 1)
            return Problem(429, "throttled", "Too many requests.", f"Try again in {wait} s.", retry_after=wait)
        case exceptions.PermissionDenied() if str(error.detail).startswith("CSRF"):
            return CSRF
        case exceptions.PermissionDenied(detail=detail) if getattr(detail, "code", "") == "permission_denied":
            return FORBIDDEN
    return Problem(error.status_code, str(getattr(error.detail, "code", "error")), str(error.detail))


def field_errors(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten DRF's nested details to `{field, code, message}`; `field` is a dotted path, empty for the whole body."""
    if isinstance(details, dict) and set(details) != {"message", "code"}:
        for name, inner in details.items():
            yield from field_errors(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(details, list):
        nested = any(set(one) != {"message", "code"} for one in details if isinstance(one, dict))
        for position, inner in enumerate(details):
            yield from field_errors(inner, f"{path}.{position}".lstrip(".") if nested else path)
    else:
        yield {"field": path, "code": str(details["code"]), "message": str(details["message"])}
