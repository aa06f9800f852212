"""Reading and setting which model answers by default, for a person, a workspace and the installation."""

import logging
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem
from catalog import preferences
from catalog.facts import LEVELS, Facts, facts_for
from catalog.models import Context, ContextDefault, LanguageModel, ProviderSync
from catalog.routing import RoutingRequest, plan
from providers import sources

log = logging.getLogger(__name__)

# Orchestration starts with the chat default until a workspace configures specialists.
INSTALLED = (Context.CHAT, Context.STRUCTURED, Context.SUMMARY, Context.DOC)


def get(actor: Actor, context: str) -> dict[str, str]:
    """The model key by level (`user`, `workspace`, `installation`), only the levels that are set."""
    found = facts_for(actor).defaults
    return {level: key for (level, for_context), key in found.items() if for_context == context}


def leading(actor: Actor, context: str) -> str:
    """The key of the default that comes first, may be empty."""
    found = get(actor, context)
    return next((found[level] for level in LEVELS if level in found), "")


@dataclass(frozen=True, slots=True)
class Standing:
    """The defaults of one context for one person: the model key by level, empty where none is set. `answers` is the
    key that a request without a name goes to now, `level` what chose it (`preference` when no default can), and
    `otherwise` the key it would go to without the person's own; both empty when nothing answers."""

    context: str
    own: str
    workspace: str
    installation: str
    answers: str
    level: str
    otherwise: str


def overview(actor: Actor) -> list[Standing]:
    """Every context. Five queries."""
    facts = facts_for(actor)
    others = replace(facts, defaults={at: key for at, key in facts.defaults.items() if at[0] != LEVELS[0]})
    return [_standing(context, facts, others) for context in Context.values]


def _standing(context: str, facts: Facts, others: Facts) -> Standing:
    own, workspace, installation = (facts.defaults.get((level, context), "") for level in LEVELS)
    now, then = (plan(RoutingRequest(context), known).attempts for known in (facts, others))
    answers, otherwise = (f"{one[0].provider_id}/{one[0].model_id}" if one else "" for one in (now, then))
    return Standing(context, own, workspace, installation, answers, now[0].reason if now else "", otherwise)


def set_own(actor: Actor, context: str, key: str) -> None:
    """The person's default in this workspace; an empty key takes it away. Raises Problem 422 model_not_found."""
    _set(actor, context, key, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})


@transaction.atomic
def set_workspace(actor: Actor, context: str, key: str) -> None:
    """The workspace's default. Raises Problem 403 for whoever does not administer it, 422 model_not_found."""
    if not actor.administers:
        raise Problem(403, "not_allowed", "Only an administrator sets the workspace's defaults.")
    _set(actor, context, key, {"workspace_id": actor.workspace_id, "user_id": None})
    audit.note(actor, "default.set", context, model=key)


def _set(actor: Actor, context: str, key: str, owner: dict[str, Any]) -> None:
    if context not in Context.values:
        raise Problem(422, "unknown_context", f"Choose one of {', '.join(Context.values)}.", field="context")
    if not key:
        ContextDefault.objects.filter(context=context, **owner).delete()
        return
    model = facts_for(actor).models.get(key)
    if model is None or model.vanished:
        raise Problem(422, "model_not_found", "No provider here lists this model.", "Choose one from the catalog.")
    ContextDefault.objects.update_or_create(context=context, **owner, defaults={"model": model})


def ensure_installation() -> None:
    """After a sync: every context has an installation default that the installation's own key, or the sandbox, answers.

    A default that still answers stays, and so does one whose model is no longer listed: that is for people to move
    (`succession`), and requests go past it until they do. One whose key is gone gives way to the best there is now;
    this is logged, and an answer names the model that gave it. Nothing is chosen before the list of each provider that
    could answer has been read, or tried, once: the fastest one would win. Until then requests go by preference.
    """
    answering = {(one.provider_id, one.sandbox) for one in sources.descriptors()}
    if {name for name, _ in answering} - set(ProviderSync.objects.values_list("provider_id", flat=True)):
        return
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
        standing = {row.context: row for row in rows.select_related("model")}
        for context in INSTALLED:
            row = standing.get(context.value)
            if row is not None and (row.model_id in pks or row.model.vanished):
                continue
            best = min(usable, key=lambda model: preferences.rank(model, context.value))
            ContextDefault.objects.update_or_create(
                context=context.value, workspace=None, user=None, defaults={"model": best}
            )
            log.info("The installation's default for %s is now %s.", context.value, best.key)
