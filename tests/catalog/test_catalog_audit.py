"""What an administrator decides about models is in the audit of the workspace."""

from django.utils import timezone

from accounts.models import AuditEntry
from accounts.policies import Actor
from catalog import defaults, moving, naming, rules
from catalog.models import LanguageModel


def make_model(model_id: str) -> None:
    LanguageModel.objects.create(
        provider_id="openai", model_id=model_id, label=model_id, shared=True, last_seen_at=timezone.now()
    )


def written(actor: Actor) -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(workspace_id=actor.workspace_id).order_by("pk")
    return list(rows.values_list("action", "who", "target"))


def test_aliases_rules_defaults_and_moves_are_written_down(alice: Actor) -> None:
    make_model("old")
    make_model("new")
    alias = naming.create(alice, name="quick", target="openai/old", reason="It is.")
    naming.remove(alice, alias.pk)
    rule = rules.create(alice, {"effect": "deny", "provider_id": "mistral"})
    said = str(rule)
    rules.remove(alice, rule.pk)
    defaults.set_workspace(alice, "chat", "openai/old")
    moved = moving.move(alice, from_model="openai/old", to_model="openai/new")
    moving.take_back(alice, moved.pk)
    who = "alice@example.com"
    assert written(alice) == [
        ("alias.set", who, "quick"),
        ("alias.removed", who, "quick"),
        ("rule.created", who, said),
        ("rule.removed", who, said),
        ("default.set", who, "chat"),
        ("model.moved", who, "openai/old"),
        ("model.move_undone", who, "openai/old"),
    ]
