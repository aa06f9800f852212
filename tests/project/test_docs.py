"""The API describes itself: to machines as OpenAPI, to people as a page."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from accounts.tokens import mint
from project.docs import document, operations
from project.schema import CODES, STREAM_PATH
from tests.guards.source import APPS, modules, name, tree

pytestmark = pytest.mark.django_db


def test_the_document_needs_somebody(client: Client) -> None:
    assert client.get("/api/v1/schema").status_code == 401
    assert client.get("/api/docs/").status_code == 302


def test_a_token_reads_the_document(client: Client, alice: Any) -> None:
    owner, workspace = User.objects.get(pk=alice.user_id), Workspace.objects.get(pk=alice.workspace_id)
    _, plain = mint(owner, workspace, "reader", ["models"])
    answer = client.get("/api/v1/schema", headers={"Authorization": f"Bearer {plain}"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.1")


def test_a_person_reads_the_page(client: Client, alice: Any) -> None:
    client.force_login(User.objects.get(pk=alice.user_id), "allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/api/docs/").content.decode()
    assert "/api/v1/runs/" in page
    assert 'id="problem-not_found"' in page
    assert "curl -N" in page


def test_every_operation_says_what_it_does_and_can_be_refused() -> None:
    for operation in operations(document(), "http://localhost"):
        assert operation.summary, operation.anchor
        assert operation.outcomes, operation.anchor
    for path in document()["paths"].values():
        for said in path.values():
            assert "application/problem+json" in said["responses"]["default"]["content"]


def test_the_stream_is_in_the_document_under_the_address_it_has(client: Client) -> None:
    assert STREAM_PATH in document()["paths"]
    address = STREAM_PATH.replace("{id}", "00000000-0000-4000-8000-000000000000")
    assert client.get(address).status_code == 401


def test_every_code_that_is_raised_has_a_line() -> None:
    import ast

    raised = {
        (node.args[1].value, f"{name(path)}:{node.lineno}")
        for path in modules(*APPS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    }
    assert sorted((code, place) for code, place in raised if code not in CODES) == []
