"""MCP servers in the console: entered and asked by administrators, each for their own workspace; no token is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection

from accounts.policies import Actor
from chat.models import McpServer
from chat.tools import servers
from tests.chat.tools.mcp_server import TOKEN
from tests.providers.people import console_client

LIST = "/admin/chat/mcpserver/"
ADD = f"{LIST}add/"

pytestmark = pytest.mark.django_db(transaction=True)


def entered(actor: Actor, url: str, **over: Any) -> dict[str, Any]:
    return {
        "workspace": str(actor.workspace_id),
        "name": "Abacus",
        "url": url,
        "token": TOKEN,
        "names": "",
        "seconds": "20",
        "enabled": "on",
    } | over


@pytest.fixture
def at_home(settings: Any) -> None:
    settings.DEVELOPMENT = True


@pytest.mark.usefixtures("at_home")
def test_a_server_is_entered_and_asked_for_its_tools(alice: Actor, mcp: str) -> None:
    client = console_client(alice)
    page = client.post(ADD, entered(alice, f"{mcp}/mcp", names="add\nsubtract"), follow=True).content.decode()
    assert "Abacus offers 5 tools: add, fail, draw, long, slow." in page
    assert "Abacus has no tool called subtract, which is allowed." in page
    row = McpServer.objects.get()
    assert (row.workspace_id, row.allowed, row.hint) == (alice.workspace_id, ["add", "subtract"], "…test")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM chat_mcpserver")
        assert TOKEN not in cursor.fetchone()[0]
    pages = [
        page,
        *(client.get(f"{LIST}{row.pk}/{name}/").content.decode() for name in ("change", "delete", "history")),
    ]
    assert [TOKEN in text for text in pages] == [False] * 4
    assert TOKEN not in str(LogEntry.objects.values())


@pytest.mark.usefixtures("at_home")
def test_a_token_stays_until_the_address_changes(alice: Actor, mcp: str) -> None:
    client = console_client(alice)
    client.post(ADD, entered(alice, f"{mcp}/mcp"))
    row = McpServer.objects.get()
    change = f"{LIST}{row.pk}/change/"
    client.post(change, entered(alice, f"{mcp}/mcp", token="", name="Beads"))
    row.refresh_from_db()
    assert row.name == "Beads"
    secret = servers.opened(row).secret
    assert secret is not None
    assert secret.reveal() == TOKEN
    client.post(change, entered(alice, f"{mcp}/elsewhere", token=""))
    row.refresh_from_db()
    assert (servers.opened(row).secret, row.hint) == (None, "")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/mcp", "https://10.0.0.1/mcp", "http://example.com/mcp", "https://169.254.169.254/", "x"]
)
def test_an_address_that_is_not_public_is_refused(alice: Actor, settings: Any, url: str) -> None:
    settings.DEVELOPMENT = False
    page = console_client(alice).post(ADD, entered(alice, url)).content.decode()
    assert "The address " in page
    assert not McpServer.objects.exists()


@pytest.mark.usefixtures("at_home")
def test_rows_of_another_workspace_do_not_exist(
    alice: Actor, bob: Actor, charlie: Actor, server: Callable[..., McpServer]
) -> None:
    row = server()
    assert console_client(bob).get(LIST).status_code == 302
    stranger = console_client(charlie)
    assert "Abacus" not in stranger.get(LIST).content.decode()
    assert stranger.get(f"{LIST}{row.pk}/change/").status_code == 302
    stranger.post(ADD, entered(alice, row.url, name="Mine"))
    assert list(McpServer.objects.values_list("name", flat=True)) == ["Abacus"]
