"""Which messages of a conversation's tree are shown: one branch, from its end backwards, and its siblings."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min, Q

from accounts.policies import Actor
from accounts.problems import not_found
from chat.models import Conversation, Message, Run, StreamEvent

TURNS = 30
MOST_TURNS = 600
REASONING = "reasoning_delta"

type Place = tuple[UUID, UUID | None]  # a message and its parent


@dataclass(slots=True)
class Branch:
    """`messages` in reading order with their runs, `earlier` says that the branch begins before them. `newest` is when
    the newest message of the whole conversation was made, on whatever branch."""

    messages: list[Message]
    earlier: bool
    newest: datetime | None = None
    siblings: dict[UUID, list[UUID]] = field(default_factory=dict)
    reasoned: dict[UUID, int] = field(default_factory=dict)

    def versions(self, message: Message) -> list[UUID]:
        """All messages in the place of this one, oldest first."""
        return self.siblings.get(message.pk, [message.pk])


def branch_at(actor: Actor, conversation: Conversation, at: UUID | None = None, limit: int = TURNS) -> Branch:
    """The last `limit` messages of the branch that ends at, or goes through, the message `at` (None: the newest leaf).

    A fixed number of queries, whatever the length. Raises Problem 404 when `at` is no message of this conversation.
    """
    leaf = _leaf_below(actor, conversation, at) if at else conversation.leaf_id
    messages, known = _walk(conversation, leaf, limit)
    newest = next(iter(known.values())).created_at if known else None
    shown = Branch(messages, bool(messages) and messages[0].parent_id is not None, newest)
    shown.siblings = _siblings(messages, _places(conversation, messages, known))
    shown.reasoned = _reasoned(messages)
    return shown


def _walk(conversation: Conversation, leaf: UUID | None, limit: int) -> tuple[list[Message], dict[UUID, Message]]:
    """From the leaf up; also everything that was read for it, newest first.

    Messages are read in windows: a branch without old side branches needs one.
    """
    rows = conversation.messages.defer("native").select_related("run").defer("run__request_digest")
    known: dict[UUID, Message] = {}
    branch: list[Message] = []
    window = 2 * limit + 20
    current = leaf
    while current is not None and len(branch) < limit:
        if current in known:
            branch.append(known[current])
            current = known[current].parent_id
            continue
        page = list(rows.order_by("-created_at", "-pk")[len(known) : len(known) + window])
        if not page:
            break
        known |= {message.pk: message for message in page}
    return branch[::-1], known


def _leaf_below(actor: Actor, conversation: Conversation, at: UUID) -> UUID:
    """The newest leaf of the branch that goes through `at`."""
    light = Message.objects.visible_to(actor).filter(conversation=conversation).order_by("created_at", "pk")
    newest_child: dict[UUID | None, UUID] = {}
    ids = set()
    for pk, parent_id in light.values_list("pk", "parent_id"):
        newest_child[parent_id] = pk
        ids.add(pk)
    if at not in ids:
        raise not_found()
    while at in newest_child:
        at = newest_child[at]
    return at


def _places(conversation: Conversation, messages: list[Message], known: dict[UUID, Message]) -> list[Place]:
    """The places of everything that shares a parent with what is shown, oldest first.

    Children are younger than their parent: where it was read, so were they all, and nobody needs to be asked.
    """
    parents = {message.parent_id for message in messages}
    if parents <= known.keys():
        return [(message.pk, message.parent_id) for message in reversed(known.values())]
    same = Q(parent_id__in=parents - {None})
    if None in parents:
        same |= Q(parent_id=None)
    rows = conversation.messages.filter(same).order_by("created_at", "pk").values_list("pk", "parent_id")
    return list(rows) if messages else []


def _siblings(messages: list[Message], places: list[Place]) -> dict[UUID, list[UUID]]:
    families: dict[UUID | None, list[UUID]] = {}
    for pk, parent_id in places:
        families.setdefault(parent_id, []).append(pk)
    return {message.pk: families[message.parent_id] for message in messages}


def _reasoned(messages: list[Message]) -> dict[UUID, int]:
    """Whole seconds that each shown answer reasoned, while its journal is still kept."""
    thought = [
        message.run.pk
        for message in messages
        if isinstance(getattr(message, "run", None), Run) and any(part["type"] == "reasoning" for part in message.parts)
    ]
    if not thought:
        return {}
    events = StreamEvent.objects.filter(run__in=thought, event_type=REASONING).order_by()
    spans = events.values_list("run__answer_id").annotate(Min("created_at"), Max("created_at"))
    return {answer_id: max(1, round((last - first).total_seconds())) for answer_id, first, last in spans}
