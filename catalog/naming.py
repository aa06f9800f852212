"""The names that models answer to: their own, and the aliases that people gave them."""

from dataclasses import asdict
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import snapshot
from catalog.facts import facts_for
from catalog.models import LanguageModel, ModelAlias
from providers import session_keeping

LONGEST = 201


def check(actor: Actor, name: str) -> None:
    """Raises Problem 422 for what neither a model nor an alias is called; an empty name is the default's."""
    shelf = snapshot.current() if name else None
    if shelf is None or name in shelf.models:
        return
    if any(name in shelf.aliases.get(owner, ()) for owner in (actor.workspace_id, None)):
        return
    detail = "Choose one of the models or aliases that /api/v1/models/ lists."
    raise Problem(422, "model_not_found", "There is no such model.", detail, model=name[:LONGEST])


def credential(actor: Actor, ref: str, model: str) -> dict[str, Any]:
    """What a run keeps of the credential that its request names: nothing for none. Raises Problem 403 policy_denied,
    404 for what this person may not use, 422 where the request names no model of the credential's provider."""
    if not ref:
        return {}
    named = session_keeping.reference(actor, ref)
    shelf = snapshot.current()
    aliases = shelf.aliases.get(None, {}) | shelf.aliases.get(actor.workspace_id, {})
    key = aliases[model].target.key if model not in shelf.models and model in aliases else model
    if key.partition("/")[0] != named.provider_id:
        detail = f"The credential is for {named.provider_id}; name one of its models."
        raise Problem(422, "credential_elsewhere", "The credential does not fit the model.", detail, field="credential")
    return {"credential": asdict(named)}


def create(actor: Actor, *, name: str, target: str, reason: str) -> ModelAlias:
    """A name in the workspace, or a new target for it. Raises Problem 403, or 422 whose `field` says what is wrong."""
    require_administrator(actor)
    name = acceptable(name)
    model = facts_for(actor).models.get(target)
    if model is None or model.vanished:
        raise Problem(422, "model_not_found", "No provider here lists this model.", field="target")
    if not reason.strip():
        raise Problem(422, "invalid_reason", "Say why there is this name.", field="reason")
    values = {"target": model, "reason": reason.strip()[:200]}
    with transaction.atomic():
        row, _ = ModelAlias.objects.update_or_create(name=name, workspace_id=actor.workspace_id, defaults=values)
        audit.note(actor, "alias.set", name, model=target)
    return row


def acceptable(name: str) -> str:
    """The name as it is stored. Raises Problem 422: one word, and no model's own name."""
    name = name.strip()
    if not (0 < len(name) <= LONGEST and name.isprintable() and " " not in name):
        raise Problem(422, "invalid_alias", "A name is one word.", field="name")
    provider_id, _, model_id = name.partition("/")
    if LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id).exists():
        raise Problem(
            422, "name_taken", "A model has this name.", "An alias never stands before a model.", field="name"
        )
    return name


def remove(actor: Actor, pk: int) -> None:
    """Raises Problem 404 for what is not this workspace's, 403 for whoever does not administer it."""
    with transaction.atomic():
        row = ModelAlias.objects.filter(workspace_id=actor.workspace_id, pk=pk).first()
        if row is None:
            raise not_found()
        require_administrator(actor)
        audit.note(actor, "alias.removed", row.name)
        row.delete()


def require_administrator(actor: Actor) -> None:
    if not actor.administers:
        raise Problem(403, "not_allowed", "Only an administrator changes what the workspace uses.")
