"""Which tools a run has: what its conversation chose of those that Parley brings and of the workspace's MCP servers,
and what its client brings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from accounts.models import Membership
from accounts.policies import Actor, actor_for
from accounts.problems import Problem
from catalog.routing import Plan
from chat.database import in_db
from chat.journal import Writer
from chat.models import McpServer, Run
from chat.tools import brought, clock, files, search, servers
from chat.tools.contract import Tool
from providers.contract import ToolSpec

MOST_CHOSEN = 40
SERVER = "mcp:"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A tool that Parley brings and that needs nothing from outside: every conversation has it until it chooses."""

    spec: ToolSpec
    label: str
    hint: str
    make: Callable[[Actor], Tool | None]


BUILT_IN = (
    BuiltIn(clock.TOOL.spec, "Date and time", "Now, in any time zone", lambda actor: clock.TOOL),
    BuiltIn(search.SPEC, "Search my conversations", "Only yours, by their words", search.tool),
    BuiltIn(files.SPEC, "Read my files", "Those of this chat, and your documents", files.tool),
)
NAMES = tuple(one.spec.name for one in BUILT_IN)


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the tools menu."""

    key: str
    label: str
    hint: str
    chosen: bool


# ---------------------------------------------------------------- choosing
def choices(actor: Actor, chosen: Sequence[str] | None, *, servers: bool = True) -> list[Choice]:
    """What a conversation may have; `chosen` are its keys, None for the usual ones. One query, none without
    `servers`."""
    kept = NAMES if chosen is None else chosen
    ours = [Choice(one.spec.name, one.label, one.hint, one.spec.name in kept) for one in BUILT_IN]
    rows: Iterable[McpServer] = McpServer.objects.visible_to(actor).filter(enabled=True) if servers else []
    return ours + [Choice(key, row.name, "MCP server", key in kept) for row in rows if (key := f"{SERVER}{row.pk}")]


def checked(actor: Actor, keys: Sequence[str]) -> list[str]:
    """The keys, each once. Raises Problem 422 for one that this person is not offered."""
    offered = {one.key for one in choices(actor, None)}
    unknown = next((key for key in keys if key not in offered), None)
    if unknown is not None or len(keys) > MOST_CHOSEN:
        detail = "Choose among those that /api/v1/tools/ lists."
        raise Problem(422, "tool_not_found", "There is no such tool.", detail, tool=str(unknown)[:80])
    return list(dict.fromkeys(keys))


# ---------------------------------------------------------------- a run's tools
def needs(run: Run) -> frozenset[str]:
    """`tools` for a run that somebody gave tools to: its client, or whoever chose others than the usual ones. Those
    that a conversation has unasked exclude no model."""
    keys = run.input.get("tools") or []
    chosen = keys and (run.parent_id is not None or set(keys) != set(NAMES))
    return frozenset({"tools"}) if chosen or run.input.get("client_tools") else frozenset()


async def toolset_for(run: Run, where: Plan, writer: Writer, reserved: Sequence[str] = ()) -> tuple[Tool, ...]:
    """None for a model that is not known to take any, and said so. A server that does not answer is left out, and said
    to be. `reserved` names are those of tools that the run has anyway."""
    if not where.attempts[0].tools:
        if run.input.get("tools") != []:
            run.trace["tools_off"] = run.served_model
            writer.add("status", {"state": "tools_off", "model": run.served_model})
        return ()
    ours, rows = await in_db(_chosen, run)
    theirs = brought.tools_of(run.input.get("client_tools", []))
    taken = {*reserved, *(tool.spec.name for tool in (*ours, *theirs))}
    found, missing = await servers.tools_of(rows, taken)
    run.trace["left_out"] = [{"server": name, "reason": reason} for name, reason in missing]
    for one in run.trace["left_out"]:
        writer.add("status", {"state": "tools_unavailable"} | one)
    return (*ours, *found, *theirs)


def _chosen(run: Run) -> tuple[list[Tool], list[servers.Server]]:
    membership = Membership.objects.get(user_id=run.user_id, workspace_id=run.workspace_id)
    actor = actor_for(membership)
    keys = run.input.get("tools")
    kept = set(NAMES if keys is None else keys)
    ours = [made for one in BUILT_IN if one.spec.name in kept and (made := one.make(actor))]
    rows = McpServer.objects.visible_to(actor).filter(enabled=True)
    return ours, [servers.opened(row) for row in rows if f"{SERVER}{row.pk}" in kept]
