"""Moves between models in the console: to look at, and to take back."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.console import WorkspaceAdmin
from accounts.problems import Problem
from catalog import succession
from catalog.models import ModelMigration


@admin.register(ModelMigration)
class ModelMigrationAdmin(WorkspaceAdmin):
    """Who moved what, when, from where to where; nobody edits it."""

    may_add = may_change = may_delete = False
    list_display = ("made_at", "from_model", "to_model", "workspace", "made_by", "how_many", "undone_at", "undone_by")
    list_select_related = ("workspace", "made_by", "undone_by")
    fields = ("from_model", "to_model", "workspace", "made_by", "made_at", "counts", "undone_at", "undone_by")
    actions = ("undo",)

    @admin.display(description="Moved")
    def how_many(self, row: ModelMigration) -> str:
        moved = [f"{count} {name.replace('_', ' ')}" for name, count in row.counts.items() if count]
        return ", ".join(moved) or "nothing"

    @admin.action(description="Take back, where nobody has chosen anew since", permissions=["view"])
    def undo(self, request: HttpRequest, rows: QuerySet[ModelMigration]) -> None:
        for row in rows:
            mover: Any = succession.Mover(request.user.pk, row.workspace_id)  # type: ignore[arg-type]
            try:
                succession.undo(mover, row.pk)
            except Problem as problem:
                messages.error(request, f"{row}: {problem.title}")
            else:
                messages.success(request, f"{row}: taken back.")
