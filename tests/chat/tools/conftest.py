"""The engine's runner and sandbox, a real MCP server, and clients of the API."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat.models import McpServer
from chat.tools import rows, servers
from tests.chat.doors.conftest import bearer, signed_in
from tests.chat.engine.conftest import running, upstream, vendor
from tests.chat.tools.mcp_server import TOKEN
from tests.faults.servers import ROOT, Sandbox

__all__ = ["running", "signed_in", "upstream", "vendor"]


@pytest.fixture
def able(running: Sandbox) -> Sandbox:
    """Every model of the sandbox takes tools, whatever its vendor's list says."""
    LanguageModel.objects.update(supports_tools=True)
    return running


@pytest.fixture(scope="session")
def mcp() -> Iterator[str]:
    """The address of a real MCP server."""
    command = [sys.executable, "-m", "tests.chat.tools.mcp_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.stdin.close()


@pytest.fixture
def server(mcp: str, alice: Actor, settings: Any) -> Callable[..., McpServer]:
    """`server(path, ...)`: a row for the MCP server, in alice's workspace."""
    settings.DEVELOPMENT = True
    servers.forget()

    def make(path: str = "/mcp", secret: str = TOKEN, **over: Any) -> McpServer:
        values = {"workspace_id": alice.workspace_id, "name": "Abacus", "url": mcp + path, "seconds": 20}
        return rows.keep(McpServer(**values | over), secret, moved=True)

    return make


@pytest.fixture
def post() -> Callable[..., Any]:
    """`post(actor, path, body)`: the API, with a token."""

    def send(actor: Actor, path: str, body: Any, **headers: str) -> Any:
        given = {**bearer(actor), **headers}
        return Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=given)

    return send
