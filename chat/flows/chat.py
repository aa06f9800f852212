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
    return await answer(run, writer, where, request, await toolset_for(run, where, writer))


def _prepare(run: Run) -> tuple[Plan, GenerateRequest]:
    # A client's tools need a model that takes them; the conversation's are left out for one that does not.
    needs = frozenset({"tools"}) if run.input.get("client_tools") else frozenset[str]()
    choice = run.input.get("tool_choice", "auto")
    return route(run, needs), GenerateRequest("", messages_for(run), tool_choice=choice, end_user=end_user(run))
