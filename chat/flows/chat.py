"""The chat flow: the branch so far goes out with its files and the tools that the conversation has, the next answer
comes back."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from catalog.routing import Plan
from chat import compaction, estimates, media
from chat.database import in_db
from chat.execution import Outcome, begin, end_user, route
from chat.journal import Writer
from chat.models import Run
from chat.steps import answer
from chat.tools import sets
from chat.tools.contract import Tool
from providers.contract import GenerateRequest

# How long files that came with the message may still be read.
FILES_SECONDS = 300.0
FILES_PAUSE = 0.2


async def converse(run: Run, writer: Writer) -> Outcome:
    where = await in_db(_route, run)
    begin(run, writer, where)
    tools = await sets.toolset_for(run, where, writer)
    request = await request_for(run, writer, where, tools)
    return await answer(run, writer, where, request, tools)


def _route(run: Run) -> Plan:
    return route(run, media.needs(run) | sets.needs(run))


async def request_for(
    run: Run, writer: Writer, where: Plan, tools: Sequence[Tool], system: str = ""
) -> GenerateRequest:
    """The branch that is answered, with its files once they are read, and cut to what the model can read beside the
    instructions and the tools."""
    await _files_read(run, writer)
    load = await in_db(compaction.load, run, where)
    beside = estimates.of_text(system) + estimates.of_tools(tool.spec for tool in tools)
    messages = await compaction.fit(run, writer, replace(load, beside=beside))
    choice = run.input.get("tool_choice", "auto")
    return GenerateRequest("", messages, system=system, tool_choice=choice, end_user=end_user(run))


async def _files_read(run: Run, writer: Writer) -> None:
    """Wait until the files that came with the message are ready or failed."""
    until = time.monotonic() + FILES_SECONDS
    told = False
    while (count := await in_db(media.pending, run)) and time.monotonic() < until:
        if not told:
            writer.add("status", {"state": "reading_files", "files": count})
        told = True
        await asyncio.sleep(FILES_PAUSE)
