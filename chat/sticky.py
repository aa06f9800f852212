"""Conversations whose next answer comes from a model that is leaving: counted and moved when somebody says so."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from catalog.models import LanguageModel
from chat.models import Conversation


class StickyModels:
    """A `Place` of the catalog's: the choice that a conversation holds. Its messages are not touched."""

    name = "conversations"

    def naming(self, workspace_id: UUID | None, key: str) -> int:
        return _holding(workspace_id, key).count()

    def move(self, workspace_id: UUID | None, old: LanguageModel, new: LanguageModel) -> Sequence[Any]:
        moved = list(_holding(workspace_id, old.key).select_for_update().values_list("pk", flat=True))
        _holding(workspace_id, old.key).update(model=new.key)
        return moved

    def move_back(self, rows: Sequence[Any], old: LanguageModel, new: LanguageModel) -> None:
        Conversation.objects.filter(pk__in=rows, model=new.key).update(model=old.key)


def _holding(workspace_id: UUID | None, key: str) -> QuerySet[Conversation]:
    rows = Conversation.objects.filter(model=key)
    return rows if workspace_id is None else rows.filter(workspace_id=workspace_id)
