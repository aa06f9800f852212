"""A real MCP server over HTTP: its tools are listed, called, bounded; what is none, or out of reach, is said."""

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from accounts.problems import Problem
from chat import runs
from chat.audit_streams import faults
from chat.journal import Journal
from chat.models import McpServer, Message, Run
from chat.protocol import Command
from chat.render.turns import Turns
from chat.threads import branch_at
from chat.tools import rows, servers, sets
from chat.tools.contract import Scope
from chat.tools.executing import execute
from providers.contract import ToolCallPart
from tests.chat.engine.rows import read_all
from tests.chat.tools.mcp_server import TOKEN
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

type Make = Callable[..., McpServer]


def listed(row: McpServer) -> servers.Listing:
    return async_to_sync(servers.listed)(servers.opened(row))


def called(row: McpServer, name: str, arguments: str = "{}") -> tuple[str, bool]:
    opened = servers.opened(row)

    async def call() -> tuple[str, bool]:
        tools, missing = await servers.tools_of([opened], ())
        assert missing == []
        writer = Journal("here").open(uuid4(), uuid4())
        part = ToolCallPart(call_id="c1", name=name, arguments=arguments)
        (given,) = await execute([part], {tool.spec.name: tool for tool in tools}, Scope(Run(), writer, ""))
        return given.content, given.is_error

    return async_to_sync(call)()


def test_a_server_lists_its_tools(server: Make) -> None:
    listing = listed(server())
    assert (listing.error, listing.refused) == ("", ())
    assert [spec.name for spec in listing.specs] == ["add", "fail", "draw", "long", "slow"]
    assert listing.specs[0].description == "Adds two numbers."
    assert listing.specs[0].parameters["required"] == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "secret", "error"),
    [
        ("/mcp", "wrong", "It did not answer as an MCP server does."),
        ("/moved", TOKEN, "The server sends its visitors elsewhere."),
        ("/packed", TOKEN, "The answer is packed, which nobody asked for."),
        ("/page", TOKEN, "It did not answer as an MCP server does."),
        ("/long", TOKEN, "The answer is too long."),
        ("/hangs", TOKEN, "It did not answer within 1 s."),
    ],
)
def test_what_is_no_server_is_said(
    server: Make, monkeypatch: pytest.MonkeyPatch, path: str, secret: str, error: str
) -> None:
    monkeypatch.setattr(servers, "LIST_SECONDS", 1.0)
    assert listed(server(path, secret)) == servers.Listing(error=error)


def test_nothing_is_listening(server: Make) -> None:
    assert listed(server(url="http://127.0.0.1:9/mcp")).error == "It cannot be reached."


def test_a_private_address_is_not_connected_to_whatever_it_is_called(server: Make, settings: Any) -> None:
    row = server()
    settings.DEVELOPMENT = False
    assert listed(row).error == "The address is not a public one."
    row.url = "http://localhost:9/mcp"
    assert listed(rows.keep(row, TOKEN, moved=True)).error == "The address is not a public one."


def test_a_secret_that_was_sealed_for_another_address_opens_nothing(server: Make) -> None:
    row = server()
    McpServer.objects.filter(pk=row.pk).update(url=row.url + "/elsewhere")
    row.refresh_from_db()
    assert listed(row).error == "Its secret cannot be read. Enter it again."


@pytest.mark.parametrize(
    ("name", "arguments", "said", "is_error"),
    [
        ("Abacus_add", '{"a": 2, "b": 40}', "The sum is 42.", False),
        ("Abacus_add", '{"a": "two"}', "- 'b' is a required property", True),
        ("Abacus_fail", "{}", "Error executing tool fail", True),
        ("Abacus_draw", "{}", "[image/png: only text is passed on.]", False),
        ("Abacus_long", "{}", "[Cut here: 50,000 of 60,000 characters are shown.]", False),
    ],
)
def test_a_tool_is_called(server: Make, name: str, arguments: str, said: str, is_error: bool) -> None:
    content, failed = called(server(), name, arguments)
    assert said in content
    assert failed is is_error


def test_a_tool_that_takes_too_long_is_left_alone(server: Make) -> None:
    assert called(server(seconds=1), "Abacus_slow") == ("The tool gave no result within 1 s.", True)


def test_names_are_such_that_every_vendor_takes_them_and_each_is_its_own() -> None:
    def named(server: str, tool: str, taken: set[str]) -> str:
        spec = servers.ToolSpec(tool, "", {})
        return servers._name(servers.Server(uuid4(), server, "", None, (), 1, None), spec, taken)  # type: ignore[arg-type]

    taken = {"Team_s_files_read"}
    assert named("Team's files", "read", taken) == "Team_s_files_read_2"
    assert named("Team's files", "read", taken) == "Team_s_files_read_3"
    assert named("é", "ß", taken) == "tool"
    long = [named("n" * 40, "t" * 100, taken) for _ in range(3)]
    assert len(set(long)) == 3
    assert max(len(name) for name in long) == 64


def test_an_answer_uses_the_tools_of_a_chosen_server(able: Sandbox, alice: Actor, server: Make) -> None:
    row = server(allowed=["add"])
    model = "openai/gpt-sandbox"
    run = runs.start(alice, Command(text="Use the Abacus_add tool", model=model, tools=(f"mcp:{row.pk}",)))
    entries = async_to_sync(read_all)(run.stream_id)
    assert entries[-1].event_type == "done", entries[-1]
    (call,) = [part for part in Message.objects.get(pk=run.stream_id).parts if part["type"] == "tool_call"]
    assert (call["name"], call["result"]) == ("Abacus_add", "The sum is 84.")
    offered = [tool["name"] for tool in able.requests()[-1]["body"]["tools"]]
    assert offered == ["Abacus_add"]
    assert list(faults()) == []


def test_a_name_that_changes_its_answer_in_the_middle_is_refused(
    server: Make, mcp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Allowed when it was entered and when it was first connected to; then it points to the metadata service."""
    answers = ["127.0.0.1", "169.254.169.254"]
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "rebind.test":
            return real(host, port, *args, **more)
        asked.append(host)
        return real(answers[min(len(asked), len(answers)) - 1], port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    row = server(url=mcp.replace("127.0.0.1", "rebind.test") + "/mcp")
    listing = async_to_sync(servers.listed)(servers.opened(row))
    assert listing.error == "The address is not a public one."
    assert len(asked) > 1, "every request was judged"


def test_a_server_that_is_away_is_left_out_and_said_to_be(able: Sandbox, alice: Actor, server: Make) -> None:
    row = server(url="http://127.0.0.1:9/mcp")
    keys = ("clock", f"mcp:{row.pk}")
    run = runs.start(alice, Command(text="Hello", model="openai/gpt-sandbox", tools=keys))
    entries = async_to_sync(read_all)(run.stream_id)
    assert entries[-1].event_type == "done"
    told = [entry.data for entry in entries if entry.data.get("state") == "tools_unavailable"]
    assert told == [{"state": "tools_unavailable", "server": "Abacus", "reason": "It cannot be reached."}]
    assert [tool["name"] for tool in able.requests()[-1]["body"]["tools"]] == ["clock"]
    conversation = run.conversation
    assert conversation is not None
    conversation.refresh_from_db()
    page = "".join(Turns(conversation, branch_at(alice, conversation)).html())
    assert "The tools of Abacus are left out. It cannot be reached." in page


def test_a_foreign_server_is_no_choice(alice: Actor, charlie: Actor, server: Make) -> None:
    key = f"mcp:{server().pk}"
    assert key in [choice.key for choice in sets.choices(alice, None)]
    assert key not in [choice.key for choice in sets.choices(charlie, None)]
    for unknown in (key, f"mcp:{uuid4()}"):
        with pytest.raises(Problem) as refused:
            sets.checked(charlie, [unknown])
        assert (refused.value.status, refused.value.code) == (422, "tool_not_found")
