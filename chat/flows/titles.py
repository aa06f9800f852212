"""Titles: after the first answer of a conversation, a small model names it. Nobody waits for it, and nobody's own title
is replaced."""

import uuid

from django.conf import settings

from accounts.models import Membership
from accounts.policies import actor_for
from catalog.facts import LEVELS, facts_for
from catalog.models import Context
from catalog.routing import Plan, RoutingRequest, plan
from chat import journal
from chat.database import in_db
from chat.execution import Outcome, begin, drive, end_user, route
from chat.journal import Writer
from chat.models import Conversation, Message, Run
from chat.protocol import clean
from providers import contract
from providers.contract import Deadlines, GenerateRequest, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import FinishReason

PLACEHOLDER_CHARS = 60
TITLE_CHARS = 80
QUOTED_CHARS = 2_000
# A reasoning model thinks before it writes six words.
MOST_TOKENS = 2_000
DEADLINES = Deadlines(first_event=30.0, idle=30.0, total=60.0)
DECORATION = " #*.\"'“”`"
SYSTEM = (
    "You write the title of a conversation. Answer with the title alone: three to six words in the language of the "
    "question, no quotation marks, no full stop."
)


def placeholder(text: str) -> str:
    """What a conversation is called until it has a title: the beginning of its first message."""
    return " ".join(clean(text).split())[:PLACEHOLDER_CHARS]


def enqueue(answered: Run) -> None:
    """Queue a title for the conversation of a chat run that is done, if it still wants one and its default model for
    summaries can be reached."""
    if not settings.AUTO_TITLES or answered.conversation_id is None:
        return
    conversation = Conversation.objects.filter(pk=answered.conversation_id).first()
    if conversation is None or not _untitled(conversation) or not _reachable(answered):
        return
    stream_id = uuid.uuid4()
    Run.objects.create(
        stream_id=stream_id,
        context=Context.SUMMARY,
        workspace_id=answered.workspace_id,
        user_id=answered.user_id,
        conversation=conversation,
        branch=stream_id,
        input={"what": "title", "answer": str(answered.answer_id), "replaces": conversation.title},
    )


def _untitled(conversation: Conversation) -> bool:
    """Nobody named it, and no run tried before."""
    first = conversation.messages.filter(parent=None).order_by("created_at").first()
    named = first is None or conversation.title not in {"", placeholder(first.text)}
    return not named and not conversation.runs.filter(context=Context.SUMMARY, input__what="title").exists()


def _reachable(run: Run) -> bool:
    membership = Membership.objects.filter(user_id=run.user_id, workspace_id=run.workspace_id).first()
    if membership is None:
        return False
    return _by_default(plan(RoutingRequest(Context.SUMMARY), facts_for(actor_for(membership))))


def _by_default(where: Plan) -> bool:
    """A default leads: what else could answer may be dear, and nobody asked for it."""
    return bool(where.attempts) and where.attempts[0].reason in LEVELS


async def generate(run: Run, writer: Writer) -> Outcome:
    where, request = await in_db(_prepare, run)
    begin(run, writer, where)
    if not _by_default(where):
        raise ProviderError(ErrorCode.MISSING_AUTH, "The default model for summaries has no key.", provider_id="")
    finished = await drive(run, writer, where, request)
    if finished.reason == FinishReason.STOP:
        await in_db(_store, run, title_of(finished.message.text))
    return Outcome(Run.State.DONE, finished=finished)


def _prepare(run: Run) -> tuple[Plan, GenerateRequest]:
    answer = Message.objects.filter(pk=run.input["answer"]).select_related("parent").first()
    asked = answer.parent.text if answer is not None and answer.parent is not None else ""
    told = answer.text if answer is not None else ""
    text = f"Question:\n{asked[:QUOTED_CHARS]}\n\nAnswer:\n{told[:QUOTED_CHARS]}\n\nWrite the title."
    messages = (contract.Message("user", (TextPart(text=text),)),)
    return route(run), GenerateRequest(
        "", messages, system=SYSTEM, max_output_tokens=MOST_TOKENS, end_user=end_user(run), deadlines=DEADLINES
    )


def title_of(said: str) -> str:
    """The title in a model's words: its first line, without the decoration that models like; may be empty."""
    lines = (line.strip(DECORATION) for line in clean(said).splitlines())
    line = next((line for line in lines if line), "")
    words = " ".join(line.removeprefix("Title:").strip(DECORATION).split())
    return words if len(words) <= TITLE_CHARS else words[:TITLE_CHARS].rsplit(" ", 1)[0] + "…"


def _store(run: Run, title: str) -> None:
    """Unless somebody named the conversation in the meantime."""
    if not title or run.conversation_id is None:
        return
    run.output["title"] = title
    if Conversation.objects.filter(pk=run.conversation_id, title=run.input["replaces"]).update(title=title):
        journal.wake([f"conversation:{run.conversation_id}"])
