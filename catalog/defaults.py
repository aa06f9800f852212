"""Reading and setting which model answers by default, for a person, a workspace and the installation."""

import logging
from typing import Any

from django.db import transaction

from accounts.policies import Actor
from accounts.problems import Problem
from catalog import preferences
from catalog.facts import LEVELS, facts_for
from catalog.models import Context, ContextDefault, LanguageModel
from providers import sources

log = logging.getLogger(__name__)

# Orchestration starts with the chat default until a workspace configures specialists.
INSTALLED = (Context.CHAT, Context.STRUCTURED, Context.SUMMARY, Context.DOC)


def get(actor: Actor, context: str) -> dict[str, str]:
    """The model key by level (`user`, `workspace`, `installation`), only the levels that are set."""
    found = facts_for(actor, chains=False).defaults
    return {level: key for (level, for_context), key in found.items() if for_context == context}


def leading(actor: Actor, context: str) -> str:
    """The key of the default that comes first, may be empty."""
    found = get(actor, context)
    return next((found[level] for level in LEVELS if level in found), "")


def set_own(actor: Actor, context: str, key: str) -> None:
    """The person's default in this workspace; an empty key takes it away. Raises Problem 422 model_not_found."""
    _set(actor, context, key, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})


def set_workspace(actor: Actor, context: str, key: str) -> None:
    """The workspace's default. Raises Problem 403 for whoever does not administer it, 422 model_not_found."""
    if not actor.administers:
        raise Problem(403, "not_allowed", "Only an administrator sets the workspace's defaults.")
    _set(actor, context, key, {"workspace_id": actor.workspace_id, "user_id": None})


def _set(actor: Actor, context: str, key: str, owner: dict[str, Any]) -> None:
    if context not in Context.values:
        raise Problem(422, "unknown_context", f"Choose one of {', '.join(Context.values)}.", field="context")
    if not key:
        ContextDefault.objects.filter(context=context, **owner).delete()
        return
    model = facts_for(actor, chains=False).models.get(key)
    if model is None or model.lifecycle == LanguageModel.Lifecycle.VANISHED:
        raise Problem(422, "model_not_found", "No provider here lists this model.", "Choose one from the catalog.")
    ContextDefault.objects.update_or_create(context=context, **owner, defaults={"model": model})


def ensure_installation() -> None:
    """After a sync: every context has an installation default that the installation's own key, or the sandbox, answers.

    A default that still answers stays. One that cannot answer any more (its model is no longer listed, or its key is
    gone) gives way to the best there is now; this is logged, and an answer names the model that gave it.
    """
    answering = {(one.provider_id, one.sandbox) for one in sources.descriptors()}
    usable = [
        model
        for model in LanguageModel.objects.exclude(lifecycle=LanguageModel.Lifecycle.VANISHED)
        if model.shared and (model.provider_id, model.sandbox) in answering
    ]
    if not usable:
        return
    pks = {model.pk for model in usable}
    with transaction.atomic():
        rows = ContextDefault.objects.filter(workspace__isnull=True, user__isnull=True)
        standing = {row.context: row for row in rows}
        for context in INSTALLED:
            row = standing.get(context.value)
            if row is not None and row.model_id in pks:
                continue
            best = min(usable, key=lambda model: preferences.rank(model, context.value))
            ContextDefault.objects.update_or_create(
                context=context.value, workspace=None, user=None, defaults={"model": best}
            )
            log.info("The installation's default for %s is now %s.", context.value, best.key)
