"""The specialists of a workspace: who sees them, who changes them, and three to begin with."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog.facts import facts_for
from catalog.models import LanguageModel
from chat.models import Specialist
from chat.tools import sets

MOST = 24
# Of the tools that delegate to them.
PREFIX = "delegate_"
EXAMPLES: tuple[dict[str, Any], ...] = (
    {
        "name": "Researcher",
        "slug": "researcher",
        "description": "Collects facts, figures and arguments on a question, and says what is uncertain.",
        "instructions": "Answer with what you know, as a short list of facts. Say plainly what you do not know.",
    },
    {
        "name": "Writer",
        "slug": "writer",
        "description": "Writes a finished text from notes: clear, short, in the tone that is asked for.",
        "instructions": "Write the text that the task asks for, and nothing else: no preface, no comment.",
    },
    {
        "name": "Reviewer",
        "slug": "reviewer",
        "description": "Reads a text or a plan critically and lists what is wrong, missing or unclear.",
        "instructions": "List the weaknesses of what you are given, the gravest first, each with how to mend it.",
    },
)


def available(actor: Actor) -> list[Specialist]:
    """Those that an orchestrator may delegate to, in their order."""
    rows = Specialist.objects.visible_to(actor).filter(enabled=True).select_related("model")
    return list(rows[:MOST])


def check_some(actor: Actor) -> None:
    """Raises Problem 422 when there is nobody to delegate to."""
    if not Specialist.objects.visible_to(actor).filter(enabled=True).exists():
        detail = "Choose to be answered directly, or ask an administrator to add specialists."
        raise Problem(422, "no_specialists", "This workspace has no specialists.", detail)


def get(actor: Actor, pk: UUID) -> Specialist:
    """Raises Problem 404, for a foreign specialist as for a missing one."""
    found = Specialist.objects.visible_to(actor).select_related("model").filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


@transaction.atomic
def create(actor: Actor, values: dict[str, Any]) -> Specialist:
    """Raises Problem 403 for whoever does not administer the workspace, 409 slug_taken, 422 model_not_found or
    too_many."""
    _administers(actor)
    if Specialist.objects.visible_to(actor).count() >= MOST:
        raise Problem(422, "too_many", f"A workspace has at most {MOST} specialists.", "Remove one first.")
    made = _saved(actor, Specialist(workspace_id=actor.workspace_id), values)
    audit.note(actor, "specialist.created", made.slug)
    return made


@transaction.atomic
def change(actor: Actor, pk: UUID, values: dict[str, Any]) -> Specialist:
    """Raises Problem 403, 404, 409, 422."""
    found = get(actor, pk)
    _administers(actor)
    saved = _saved(actor, found, values)
    audit.note(actor, "specialist.changed", saved.slug, fields=sorted(values))
    return saved


@transaction.atomic
def delete(actor: Actor, pk: UUID) -> None:
    """What it answered stays. Raises Problem 403, 404."""
    found = get(actor, pk)
    _administers(actor)
    audit.note(actor, "specialist.removed", found.slug)
    found.delete()


def add_examples(workspace_id: UUID) -> int:
    """The examples that the workspace does not have yet; how many."""
    rows = [Specialist(workspace_id=workspace_id, order=order, **one) for order, one in enumerate(EXAMPLES, start=1)]
    known = set(Specialist.objects.filter(workspace_id=workspace_id).values_list("slug", flat=True))
    fresh = [row for row in rows if row.slug not in known]
    return len(Specialist.objects.bulk_create(fresh, ignore_conflicts=True))


def _administers(actor: Actor) -> None:
    if not actor.administers:
        raise Problem(403, "not_allowed", "Only an administrator changes the workspace's specialists.")


def _saved(actor: Actor, row: Specialist, values: dict[str, Any]) -> Specialist:
    values = dict(values)
    if "model" in values:
        values["model"] = _model(actor, values["model"])
    if "tools" in values:
        values["tools"] = sets.checked(actor, values["tools"])
    for name, value in values.items():
        setattr(row, name, value)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        detail = "Choose another slug."
        raise Problem(409, "slug_taken", "Another specialist has this slug.", detail, field="slug") from None
    return row


def _model(actor: Actor, key: str) -> LanguageModel | None:
    if not key:
        return None
    model = facts_for(actor).models.get(key)
    if model is None or model.lifecycle == LanguageModel.Lifecycle.VANISHED:
        detail = "Choose one of the models that /api/v1/models/ lists."
        raise Problem(422, "model_not_found", "There is no such model.", detail, field="model")
    return model
