"""What happens to somebody's ways to sign in can be read in the audit afterwards."""

from typing import Any

from accounts import audit
from accounts.models import AuditEntry
from tests.accounts.conftest import Person


def written(person: Person) -> list[str]:
    rows = AuditEntry.objects.filter(who=person.email, workspace_id=None).order_by("pk")
    return [action.removeprefix("identity.") for action in rows.values_list("action", flat=True)]


def test_a_sign_up_a_sign_out_and_a_sign_in(dora: Person) -> None:
    dora.sign_up()
    first = written(dora)
    assert set(first) == {"signed_up", "email_confirmed", "factor_added", "signed_in"}
    dora.sign_out()
    dora.sign_in()
    assert written(dora)[len(first) :] == ["signed_out", "signed_in"]
    assert AuditEntry.objects.filter(action="identity.signed_in").latest("pk").data == {"by": "mfa"}
    assert AuditEntry.objects.filter(ip="").exclude(action=audit.BEGUN).count() == 0


def test_a_wrong_code_and_a_wrong_key(dora: Person, eve: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    page = dora.post("/accounts/login/", login=dora.email)
    dora.post(page.request["PATH_INFO"], code="WRONG1")
    assert written(dora)[-1] == "code_rejected"


def test_a_passkey_that_is_renamed_added_or_removed(dora: Person) -> None:
    dora.sign_up()
    before = len(written(dora))
    dora.device = type(dora.device)()
    dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    assert written(dora)[before:] == ["factor_added"]
    key = AuditEntry.objects.latest("pk")
    assert "Laptop" in key.target


def test_other_sessions_are_ended(dora: Person) -> None:
    dora.sign_up()
    dora.post("/settings/accounts/sessions/end-others/")
    assert written(dora)[-1] == "other_sessions_ended"


def test_nothing_secret_is_in_an_entry(dora: Person) -> None:
    page = dora.start_sign_up()
    code = page.text.split('id="development-code">')[1].split("<")[0]
    dora.make_passkey(dora.confirm(page))
    session = dora.client.session.session_key
    everything = str(list(AuditEntry.objects.values()))
    assert code not in everything
    assert session not in everything


def test_the_chains_are_whole_afterwards(dora: Person, eve: Person, settings: Any) -> None:
    dora.sign_up()
    eve.sign_up()
    assert audit.broken() == []
