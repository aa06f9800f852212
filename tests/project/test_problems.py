"""A refusal is typed for programs and readable for people, and never shows how the house is built."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from project import problems

pytestmark = pytest.mark.django_db


class Body(serializers.Serializer[Any]):
    name = serializers.CharField()
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)


RAISES: dict[str, Exception] = {
    "conflict": Problem(409, "run_active", "An answer is being written.", "Stop it first.", run="r1"),
    "throttled": exceptions.Throttled(wait=7),
    "gone": Http404("secret detail"),
    "away": OperationalError("connection to server at 10.0.0.9 failed"),
    "bug": ZeroDivisionError("internal detail"),
}


def broken_page(request: HttpRequest, what: str) -> HttpResponse:
    raise RAISES[what]


async def broken_page_async(request: HttpRequest, what: str) -> HttpResponse:
    raise RAISES[what]


class BrokenView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get(self, request: Any, what: str) -> Response:
        raise RAISES[what]

    def post(self, request: Any, what: str) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({})


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    view.login_required = False  # type: ignore[attr-defined]
    return view


urlpatterns = [
    path("page/<str:what>", public(broken_page)),
    path("later/<str:what>", public(broken_page_async)),
    path("api/v1/<str:what>", BrokenView.as_view()),
]
handler400, handler403 = problems.bad_request, problems.forbidden
handler404, handler500 = problems.missing, problems.broken


@pytest.fixture(autouse=True)
def broken_house(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("conflict", 409, "run_active"),
        ("throttled", 429, "throttled"),
        ("gone", 404, "not_found"),
        ("away", 503, "storage_unavailable"),
        ("bug", 500, "internal"),
    ],
)
def test_the_api_answers_problem_json(client: Client, what: str, status: int, code: str) -> None:
    answer = client.get(f"/api/v1/{what}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    said = json.loads(answer.content)
    assert (said["status"], said["code"]) == (status, code)
    assert said["title"]
    assert "detail" not in answer.content.decode().replace('"detail"', "")
    assert "10.0.0.9" not in answer.content.decode()


def test_a_problem_carries_its_extra_fields_and_its_waiting_time(client: Client) -> None:
    assert json.loads(client.get("/api/v1/conflict").content)["run"] == "r1"
    assert client.get("/api/v1/throttled")["Retry-After"] == "7"
    assert client.get("/api/v1/away")["Retry-After"] == "5"


@pytest.mark.parametrize("kind", ["page", "later"])
@pytest.mark.parametrize(("what", "status"), [("conflict", 409), ("gone", 404), ("away", 503), ("bug", 500)])
def test_a_page_says_the_same_in_html(client: Client, kind: str, what: str, status: int) -> None:
    answer = client.get(f"/{kind}/{what}", headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert b"<h1>" in answer.content
    assert b"Traceback" not in answer.content
    assert b"internal detail" not in answer.content


@pytest.mark.anyio
async def test_a_problem_of_an_async_view_is_answered_under_asgi_too() -> None:
    answer = await AsyncClient().get("/later/conflict", headers={"Accept": "text/html"})
    assert answer.status_code == 409
    assert b"An answer is being written." in answer.content


def test_a_wrong_field_is_named(client: Client) -> None:
    answer = client.post("/api/v1/x", {"tags": ["one"]}, content_type="application/json")
    assert answer.status_code == 400
    errors = {error["field"]: error["code"] for error in json.loads(answer.content)["errors"]}
    assert errors == {"name": "required", "tags.0": "invalid"}


@pytest.mark.parametrize(
    ("method", "body", "kind", "status", "code"),
    [
        ("post", b"{", "application/json", 400, "malformed"),
        ("post", b"name=x", "text/plain", 415, "unsupported_media_type"),
        ("delete", b"", "application/json", 405, "method_not_allowed"),
        ("post", b"x" * (2 * 1024 * 1024 + 1), "application/json", 413, "body_too_large"),
    ],
)
def test_what_cannot_be_read_is_typed(
    client: Client, method: str, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = client.generic(method.upper(), "/api/v1/x", body, content_type=kind)
    assert answer.status_code == status
    assert json.loads(answer.content)["code"] == code


def test_an_unknown_host_is_refused_before_anything_else(client: Client) -> None:
    assert client.get("/page/conflict", headers={"Host": "evil.example"}).status_code in {400, 409}


def test_answers_are_kept_by_nobody_else(client: Client) -> None:
    assert "no-store" in client.get("/page/conflict")["Cache-Control"]
