"""The chat flow: the branch so far goes out with the tools that the conversation has, the next answer comes back."""

from catalog.routing import Plan
from chat.database import in_db
from chat.execution import Outcome, begin, end_user, route
from chat.history import messages_for
from chat.journal import Writer
from chat.models import Run
from chat.steps import answer
from chat.tools.sets import toolset_for
from providers.contract import GenerateRequest


async def converse(run: Run, writer: Writer) -> Outcome:
    where, request = await in_db(_prepare, run)
    begin(run, writer, where)
    return await answer(run, writer, where, request, await toolset_for(run))


def _prepare(run: Run) -> tuple[Plan, GenerateRequest]:
    return route(run), GenerateRequest("", messages_for(run), end_user=end_user(run))
