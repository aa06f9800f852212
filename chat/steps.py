"""The steps of an answer: a request, the calls that it ends with, their results, the next request, until a step calls
nothing. Any flow may answer this way, with tools of its own."""

from collections.abc import Sequence
from dataclasses import replace

from catalog.routing import Plan
from chat.execution import Outcome, drive
from chat.journal import Writer
from chat.models import Run
from chat.tools.contract import Scope, Tool
from chat.tools.executing import execute
from chat.tools.results import note
from chat.usage import added
from providers.contract import GenerateRequest, Message, Part, ToolCallPart
from providers.events import Finished, FinishReason, Usage

MOST_STEPS = 10
MOST_CALLS = 40
ENOUGH = "This answer has called enough tools. Answer now with what you have."
# The model did not get to the end of what it wanted to call.
CUT = frozenset({FinishReason.LENGTH, FinishReason.CONTENT_BLOCKED, FinishReason.REFUSAL, FinishReason.CONTEXT_FULL})


async def answer(
    run: Run, writer: Writer, where: Plan, request: GenerateRequest, tools: Sequence[Tool] = ()
) -> Outcome:
    """Drive the request to an answer that calls nothing. The first step goes through the plan's attempts, the others to
    the one that served it. After MOST_STEPS steps or MOST_CALLS calls one more is made that may call nothing; what it
    calls all the same is refused, and the run ends with the finish reason `tool_calls`. Raises ProviderError."""
    toolbox = {tool.spec.name: tool for tool in tools}
    request = replace(request, tools=tuple(tool.spec for tool in tools))
    scope = Scope(run, writer, "")
    said: list[Message] = []
    step = called = 0
    while True:
        step += 1
        last = step > MOST_STEPS or called >= MOST_CALLS
        finished = await _step(run, writer, where, _asked(request, said, last=last), step)
        said.append(finished.message)
        calls = _calls(finished) if toolbox else []
        if last or not calls:
            break
        room = max(MOST_CALLS - called, 0)
        results = await execute(calls[:room], toolbox, scope)
        said.append(Message("tool", (*results, *_refused(calls[room:], scope))))
        called += len(calls)
        where = _served(where, run)
    if calls:
        said.append(Message("tool", _refused(calls, scope)))
    return Outcome(Run.State.DONE, finished=replace(finished, usage=Usage(**run.usage)), said=tuple(said))


async def _step(run: Run, writer: Writer, where: Plan, request: GenerateRequest, step: int) -> Finished:
    if step > 1:
        writer.add("status", {"state": "step", "step": step})
    finished = await drive(run, writer, where, request)
    run.usage = added(run.usage, finished.usage)
    return finished


def _asked(request: GenerateRequest, said: Sequence[Message], *, last: bool) -> GenerateRequest:
    """A choice that forces a call is for the first step: it would force one for ever."""
    choice = request.tool_choice if not said or request.tool_choice == "none" else "auto"
    return replace(request, messages=(*request.messages, *said), tool_choice="none" if last else choice)


def _calls(finished: Finished) -> list[ToolCallPart]:
    """What is to be executed: nothing of a message that was cut."""
    if finished.reason in CUT:
        return []
    return [part for part in finished.message.parts if isinstance(part, ToolCallPart)]


def _refused(calls: Sequence[ToolCallPart], scope: Scope) -> tuple[Part, ...]:
    return tuple(note(call, ENOUGH, scope, is_error=True) for call in calls)


def _served(where: Plan, run: Run) -> Plan:
    """The attempt that answered: what follows belongs to the same model and the same credential, also where that is the
    key that stood in for a session."""
    ref = run.trace["attempts"][-1]["credential_ref"]
    here = [one for one in where.attempts if f"{one.provider_id}/{one.model_id}" == run.served_model]
    served = [one if one.credential_ref == ref else one.with_backup() for one in here]
    return replace(where, attempts=tuple(served))
