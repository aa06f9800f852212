"""Conversations of a known length, and what became of a run in them."""

from typing import Any

from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog.models import ContextDefault, LanguageModel
from chat import runs
from chat.models import Conversation, Message, Run
from chat.protocol import Command, Entry
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox

OPENAI = "openai/gpt-sandbox"
SHORT = "/tokens 12 /slow 2000"


def talk(actor: Actor, pairs: int, words: int = 100) -> Conversation:
    """`pairs` questions with answers: Question 0 and Answer 0 begin it, each about `words` + 1 tokens long."""
    conversation = Conversation.objects.create(workspace_id=actor.workspace_id, owner_id=actor.user_id, model=OPENAI)
    leaf: Message | None = None
    for number in range(pairs):
        for role, name in (("user", "Question"), ("assistant", "Answer")):
            said = [{"type": "text", "text": f"{name} {number} {'abc ' * words}"}]
            leaf = Message.objects.create(conversation=conversation, parent=leaf, role=role, parts=said)
    conversation.leaf = leaf
    conversation.save()
    return conversation


def window(tokens: int | None) -> None:
    """What the sandbox's OpenAI model can read at once; summaries are written by another one."""
    LanguageModel.objects.filter(model_id="gpt-sandbox").update(context_window=tokens)
    mini = LanguageModel.objects.get(model_id="gpt-sandbox-mini")
    ContextDefault.objects.filter(context="summary").update(model=mini)


def ask(
    actor: Actor, conversation: Conversation, text: str = f"And now? {SHORT}", **more: Any
) -> tuple[Run, list[Entry]]:
    run = runs.start(actor, Command(text=text, conversation_id=conversation.pk, **more))
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    return run, entries


def states(entries: list[Entry]) -> list[str]:
    return [str(entry.data["state"]) for entry in entries if entry.event_type == "status"]


def sent(vendor: Sandbox, run: Run) -> str:
    """What the provider was sent for a run: the newest request to its model."""
    model = run.served_model.partition("/")[2]
    return str([each["body"] for each in vendor.requests() if each["model"] == model][-1])
