"""Which conversations a person is shown: the recent ones by date, and those that hold some words."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.policies import Actor
from chat.models import Conversation, Message, Run
from providers.registry import providers

RECENT = 60
FOUND = 50
EXCERPT_CHARS = 160


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list; `provider` and `letter` are those of the last answer, `excerpt` the line that matched."""

    id: UUID
    title: str
    writing: bool
    provider: str
    letter: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    items: list[Item]


def recent(actor: Actor) -> list[Group]:
    """The newest conversations under the words Today, Yesterday, Last 7 days and Earlier. One query."""
    today = timezone.localdate()
    groups: dict[str, list[Item]] = {}
    for row in _listed(Conversation.objects.visible_to(actor))[:RECENT]:
        groups.setdefault(_age(timezone.localdate(row.updated_at), today), []).append(_item(row))
    return [Group(title, items) for title, items in groups.items()]


def search(actor: Actor, words: str) -> list[Item]:
    """Conversations whose title or text holds the words, newest first, with the line that matched."""
    words = words.strip()
    if not words:
        return []
    # Parts are JSON: the words are looked for as they are stored, then again in the text itself.
    stored = words.encode("unicode_escape").decode() if not words.isascii() else words
    said = Message.objects.visible_to(actor).filter(Q(parts__icontains=words) | Q(parts__icontains=stored))
    texts: dict[UUID, str] = {}
    for message in said.only("conversation_id", "parts").order_by("-created_at")[: FOUND * 4]:
        if line := excerpt(message.text, words):
            texts.setdefault(message.conversation_id, line)
    visible = Conversation.objects.visible_to(actor)
    rows = _listed(visible.filter(Q(title__icontains=words) | Q(pk__in=texts)))[:FOUND]
    return [_item(row, texts.get(row.pk, "")) for row in rows]


def excerpt(text: str, words: str) -> str:
    """The part of a text around the first match, on one line; empty without one."""
    at = text.lower().find(words.lower())
    if at < 0:
        return ""
    start = max(0, at - EXCERPT_CHARS // 3)
    piece = " ".join(text[start : start + EXCERPT_CHARS].split())
    return ("…" if start else "") + piece + ("…" if start + EXCERPT_CHARS < len(text) else "")


def _listed(rows: QuerySet[Conversation]) -> QuerySet[Conversation, Any]:
    # A title is a run as well, but nobody reads it in the conversation.
    runs = Run.objects.filter(conversation=OuterRef("pk"), answer__isnull=False)
    return rows.annotate(
        writing=Exists(runs.filter(state__in=Run.ACTIVE)),
        answered=Subquery(runs.order_by("-created_at").values("served_model")[:1]),
    ).order_by("-updated_at")


def _item(row: Conversation, line: str = "") -> Item:
    provider_id = (getattr(row, "answered", "") or row.model).partition("/")[0]
    provider = providers().get(provider_id)
    return Item(
        row.pk, str(row), getattr(row, "writing", False), provider_id, provider.letter if provider else "", line
    )


def _age(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return "Last 7 days" if day > today - timedelta(days=7) else "Earlier"
