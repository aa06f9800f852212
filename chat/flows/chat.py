"""The chat flow: the branch so far goes out with its files and the tools that the conversation has, the next answer
comes back."""

import asyncio
import time

from catalog.routing import Plan
from chat import media
from chat.database import in_db
from chat.execution import Outcome, begin, end_user, route
from chat.history import messages_for
from chat.journal import Writer
from chat.models import Run
from chat.steps import answer
from chat.tools.sets import toolset_for
from providers.contract import GenerateRequest

# How long files that came with the message may still be read.
FILES_SECONDS = 300.0
FILES_PAUSE = 0.2


async def converse(run: Run, writer: Writer) -> Outcome:
    where = await in_db(_route, run)
    begin(run, writer, where)
    await _files_read(run, writer)
    request = await in_db(_request, run, where)
    return await answer(run, writer, where, request, await toolset_for(run, where, writer))


def _route(run: Run) -> Plan:
    """A client's tools need a model that takes them; the conversation's are left out for one that does not."""
    tools = frozenset({"tools"}) if run.input.get("client_tools") else frozenset[str]()
    return route(run, media.needs(run) | tools)


async def _files_read(run: Run, writer: Writer) -> None:
    """Wait until the files that came with the message are ready or failed."""
    until = time.monotonic() + FILES_SECONDS
    told = False
    while (count := await in_db(media.pending, run)) and time.monotonic() < until:
        if not told:
            writer.add("status", {"state": "reading_files", "files": count})
        told = True
        await asyncio.sleep(FILES_PAUSE)


def _request(run: Run, where: Plan) -> GenerateRequest:
    choice = run.input.get("tool_choice", "auto")
    return GenerateRequest("", messages_for(run, where), tool_choice=choice, end_user=end_user(run))
