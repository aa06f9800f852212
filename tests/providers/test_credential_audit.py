"""What is done to a credential is in the audit, without the key in it."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.policies import Actor
from providers import credentials

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"


def written(actor: Actor) -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(workspace_id=actor.workspace_id, action__startswith="credential.").order_by("pk")
    return list(rows.values_list("action", "who", "target"))


def test_storing_replacing_and_removing_is_written_down(alice: Actor) -> None:
    for _ in range(2):
        row = credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    credentials.remove(alice, row.pk)
    stored = ("credential.stored", "alice@example.com", f"openai {row.hint}")
    assert written(alice) == [stored, stored, ("credential.removed", *stored[1:])]
    everything = str(list(AuditEntry.objects.values()))
    assert KEY not in everything
    assert row.fingerprint in everything


def test_a_key_that_is_refused_leaves_no_entry(alice: Actor) -> None:
    with pytest.raises(Exception, match="invalid_provider_id"):
        credentials.save(alice, provider_id="nobody", secret=KEY, shared=True)
    assert written(alice) == []


def test_a_check_is_written_down_before_the_key_is_used(alice: Actor, client: Client) -> None:
    row = credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    client.force_login(User.objects.get(pk=alice.user_id))
    client.raise_request_exception = False  # no provider can be reached here
    client.post(f"/api/v1/credentials/{row.pk}/check/")
    client.post("/settings/providers/check/", {"ref": f"credential:{row.pk}"})
    client.post("/status/check/")
    targets = [target for action, _, target in written(alice) if action == "credential.checked"]
    assert targets == [f"credential:{row.pk}", f"credential:{row.pk}", "all shared credentials"]
