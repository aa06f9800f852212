"""What the conversation page shows, gathered in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists

from accounts.models import Workspace
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import preferences
from catalog.choices import Group, Option, picker
from catalog.models import Context
from chat import attachments, runs, summaries
from chat.fill import Fill, fill_of
from chat.limits import Standing, near
from chat.models import Attachment, Conversation, McpServer, Message, Run, Specialist
from chat.render.summaries import panel
from chat.render.turns import Turns, run_of
from chat.threads import MOST_TURNS, TURNS, Branch, branch_at
from chat.tools import sets
from providers.standing import summary


@dataclass(frozen=True, slots=True)
class Look:
    """What of a conversation is asked for: the branch through `at`, the last `turns`, a message to edit, and what the
    message box holds. `model` is the choice for the next message, empty for the conversation's own."""

    at: UUID | None = None
    edit: UUID | None = None
    turns: int = TURNS
    model: str = ""
    text: str = ""
    summary: bool = False
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Which of the rarer things there are to show, so that a page without them does not ask for each."""

    drafts: bool
    servers: bool
    specialists: bool
    summary: bool


def held(actor: Actor, conversation: Conversation | None) -> Held:
    """One query."""
    there = Workspace.objects.filter(pk=actor.workspace_id).values_list(
        Exists(attachments.drafts(actor, conversation.pk if conversation else None)),
        Exists(McpServer.objects.visible_to(actor).filter(enabled=True)),
        Exists(Specialist.objects.visible_to(actor).filter(enabled=True)),
        Exists(summaries.runs_of(actor, conversation.pk if conversation else None)),
    )
    return Held(*there.get())


def page(actor: Actor, conversation: Conversation | None, look: Look) -> dict[str, Any]:
    """The template's context. Raises Problem 404 for a message that is not in this conversation."""
    edited = _edited(actor, conversation, look.edit)
    at = edited.parent_id if edited else look.at
    turns = min(look.turns, MOST_TURNS)
    # Before the first message there is nothing, whatever the newest branch holds.
    if conversation is None or (edited is not None and at is None):
        branch = Branch([], earlier=False)
    else:
        branch = branch_at(actor, conversation, at, turns)
    wanted = look.model or (conversation.model if conversation else "")
    groups = picker(actor, wanted)
    has = held(actor, conversation)
    tools = sets.choices(actor, conversation.tools if conversation else None, servers=has.servers)
    labels = {option.key: option.label for group in groups for option in group.options}
    picked = chosen(groups, wanted)
    written = summaries.latest(actor, conversation) if conversation and has.summary else None
    return {
        "conversation": conversation,
        "turns": Turns(conversation, branch, labels).html() if conversation else [],
        "more_turns": turns + TURNS if branch.earlier and turns < MOST_TURNS else None,
        "first_shown": branch.messages[0].pk if branch.messages else None,
        "since": branch.newest.isoformat() if branch.newest else "",
        "running": running(branch),
        "groups": groups,
        "provider_health": summary([group.mark for group in groups]),
        "chosen": picked,
        "tools": tools,
        "tools_chosen": sum(tool.chosen for tool in tools),
        "fill": fill_of(branch.messages, picked[1].key) if picked else None,
        "limits": near(actor, picked[1].key) if picked else [],
        "summary": panel(written, labels, opened=look.summary) if written else "",
        "summarising": written is not None and written.run.state in Run.ACTIVE,
        "contexts": _contexts(conversation) if has.specialists else [],
        "end": branch.messages[-1].pk if branch.messages else "",
        "ready": any(group.ready for group in groups),
        "models": sum(len(group.options) for group in groups),
        "text": look.text or (edited.text if edited else ""),
        "files": _files(actor, conversation, edited) if edited or has.drafts else [],
        "parent": branch.messages[-1].pk if look.at and branch.messages and not edited else "",
        "edits": edited.pk if edited else "",
        "problem": look.problem,
        "key": runs.new_key(),
    }


def _files(actor: Actor, conversation: Conversation | None, edited: Message | None) -> list[Attachment]:
    """What the message box holds: files that wait to be sent, or those of the message that is edited."""
    if edited is None:
        return list(attachments.drafts(actor, conversation.pk if conversation else None))
    ids = [part["id"] for part in edited.files]
    return list(Attachment.objects.visible_to(actor).filter(pk__in=ids)) if ids else []


def _contexts(conversation: Conversation | None) -> list[tuple[str, str, bool]]:
    """How the next message may be answered: value, words, whether it is chosen."""
    chosen = conversation.context if conversation else Context.CHAT.value
    return [(value, words, value == chosen) for value, words in Conversation.ANSWERED]


def page_fill(actor: Actor, conversation: Conversation, key: str) -> Fill | None:
    """How full the window of a model would be with the newest branch; an empty key is the conversation's choice."""
    return page_bounds(actor, conversation, key)[0]


def page_bounds(actor: Actor, conversation: Conversation, key: str) -> tuple[Fill | None, list[Standing]]:
    """What bounds the next message to a model: how full its window would be, and the limits that are near."""
    picked = chosen(picker(actor, key or conversation.model), key or conversation.model)
    if picked is None:
        return None, []
    fill = fill_of(branch_at(actor, conversation, limit=2).messages, picked[1].key)
    return fill, near(actor, picked[1].key)


def _edited(actor: Actor, conversation: Conversation | None, message_id: UUID | None) -> Message | None:
    if conversation is None or message_id is None:
        return None
    mine = Message.objects.visible_to(actor).filter(conversation=conversation, role=Message.Role.USER)
    message = mine.filter(pk=message_id).first()
    if message is None:
        raise not_found()
    return message


def running(branch: Branch) -> Run | None:
    found = run_of(branch.messages[-1]) if branch.messages else None
    return found if found and found.state in Run.ACTIVE else None


def chosen(groups: Iterable[Group], wanted: str) -> tuple[Group, Option] | None:
    """The option that the next message goes to: the wanted one, else this person's default, else the best there is."""
    options = [(group, option) for group in groups for option in group.options]
    if named := next((pair for pair in options if wanted and pair[1].current), None):
        return named
    ready = [pair for pair in options if not pair[1].disabled_reason]
    return min(ready, key=_preference, default=None)


def _preference(pair: tuple[Group, Option]) -> tuple[bool, bool, int]:
    option = pair[1]
    known = option.key in preferences.BALANCED
    place = preferences.BALANCED.index(option.key) if known else len(preferences.BALANCED)
    return "Chat default" not in option.badges, option.sandbox, place
