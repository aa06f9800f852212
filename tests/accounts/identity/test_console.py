"""Identity providers in the console: whose they are, what stays secret, and nobody left outside by accident."""

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import connection

from accounts import memberships, sealing
from accounts.models import AuditEntry, IdentityProvider, Role, User, Workspace
from tests.accounts.evil_issuer import Issuer, Lie
from tests.accounts.identity.conftest import Traveller, make_provider
from tests.factories import make_workspace

PAGE = "/admin/accounts/identityprovider/"
SECRET = "a-client-secret-of-some-length"


@pytest.fixture
def superuser(dora: Traveller) -> Traveller:
    dora.sign_up()
    User.objects.update(is_superuser=True)
    return dora


@pytest.fixture
def administrator(eve: Traveller) -> Traveller:
    """Eve administers the workspace Research; there is another one."""
    make_workspace("Elsewhere")
    eve.sign_up()
    user = User.objects.get(email=eve.email)
    user.memberships.all().delete()
    memberships.grant(user, make_workspace("Research"), Role.ADMIN)
    return eve


def filled(at: Issuer, **over: Any) -> dict[str, Any]:
    form = {
        "preset": "custom", "name": "Acme", "slug": "acme", "workspace": "", "issuer": at.url, "client_id": "c-1",
        "new_secret": SECRET, "token_auth": "client_secret_basic", "scopes": "openid email", "sign_up": "invitation",
        "listed_domains": "", "listed": "on", "enabled": "on",
    }  # fmt: skip
    return {name: value for name, value in (form | over).items() if value is not None}


def research() -> str:
    return str(Workspace.objects.get(name="Research").pk)


def save(person: Traveller, form: dict[str, Any], row: IdentityProvider | None = None) -> Any:
    return person.client.post(f"{PAGE}{row.pk}/change/" if row else f"{PAGE}add/", form)


def test_a_superuser_adds_one_for_everybody_and_its_secret_is_sealed(superuser: Traveller, issuer: Issuer) -> None:
    assert save(superuser, filled(issuer)).status_code == 302
    row = IdentityProvider.objects.get()
    assert (row.workspace, row.hint, opened()) == (None, "…ngth", SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_identityprovider")
        assert SECRET not in cursor.fetchone()[0]
    page = superuser.get(f"{PAGE}{row.pk}/change/").text
    assert SECRET not in page
    assert "/accounts/oidc/acme/login/callback/" in page
    assert SECRET not in str(AuditEntry.objects.values().get(action="console.added"))
    assert "Continue with Acme" in Traveller(type(superuser.client)(), superuser.device).get("/accounts/login/").text


def test_an_empty_secret_keeps_the_stored_one_and_a_new_one_replaces_it(superuser: Traveller, issuer: Issuer) -> None:
    save(superuser, filled(issuer))
    row = IdentityProvider.objects.get()
    save(superuser, filled(issuer, new_secret="", name="Acme Inc"), row)
    assert (IdentityProvider.objects.get().name, opened()) == ("Acme Inc", SECRET)
    save(superuser, filled(issuer, new_secret="another"), row)
    assert opened() == "another"


def opened() -> str:
    row = IdentityProvider.objects.get()
    return sealing.unseal(row, row.secret).reveal()


@pytest.mark.parametrize(
    ("preset", "issuer_url", "method"),
    [
        ("chatgpt", "https://auth.openai.com", "client_secret_basic"),
        ("google", "https://accounts.google.com", "client_secret_post"),
    ],
)
def test_a_preset_fills_in_what_is_known(
    superuser: Traveller, issuer: Issuer, preset: str, issuer_url: str, method: str
) -> None:
    save(superuser, filled(issuer, preset=preset, issuer="", scopes="openid"))
    row = IdentityProvider.objects.get()
    assert (row.issuer, row.token_auth, row.scopes) == (issuer_url, method, "openid profile email")
    assert not row.fetch_userinfo


def test_an_administrator_adds_one_for_their_workspace_and_for_no_other(
    administrator: Traveller, issuer: Issuer
) -> None:
    elsewhere = str(Workspace.objects.get(name="Elsewhere").pk)
    for place in ("", elsewhere):
        assert save(administrator, filled(issuer, workspace=place)).status_code == 200
    assert not IdentityProvider.objects.exists()
    assert save(administrator, filled(issuer, workspace=research())).status_code == 302
    assert IdentityProvider.objects.get().workspace == Workspace.objects.get(name="Research")
    assert AuditEntry.objects.get(action="console.added").workspace_id == Workspace.objects.get(name="Research").pk


def test_an_administrator_maps_claims_to_roles_and_reads_the_map_again(
    administrator: Traveller, issuer: Issuer
) -> None:
    lines = "member groups staff\nadmin realm.roles parley admins"
    assert save(administrator, filled(issuer, workspace=research(), claim_roles=lines)).status_code == 302
    row = IdentityProvider.objects.get()
    assert row.roles[1] == {"role": "admin", "claim": "realm.roles", "value": "parley admins"}
    assert "admin realm.roles parley admins" in administrator.get(f"{PAGE}{row.pk}/change/").text


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"claim_roles": "owner groups x"}, "is not a role (admin or member)"),
        ({"claim_roles": "admin groups x", "workspace": ""}, "own identity provider gives roles"),
    ],
)
def test_a_map_that_gives_too_much_is_refused(
    superuser: Traveller, issuer: Issuer, over: dict[str, Any], said: str
) -> None:
    workspace = make_workspace("Research")
    page = save(superuser, filled(issuer, workspace=str(workspace.pk)) | over)
    assert said in page.text
    assert not IdentityProvider.objects.exists()


def test_an_administrator_sees_neither_the_installations_nor_another_workspaces(
    administrator: Traveller, issuer: Issuer
) -> None:
    everybodys = make_provider(issuer, "everybodys")
    others = make_provider(issuer, "others", workspace=Workspace.objects.get(name="Elsewhere"))
    text = administrator.get(PAGE).text
    assert "Everybodys" not in text
    assert "Others" not in text
    for row in (everybodys, others):
        assert administrator.client.get(f"{PAGE}{row.pk}/change/").status_code in {302, 404}
        save(administrator, filled(issuer, slug=row.slug, name="Taken", workspace=research()), row)
        assert IdentityProvider.objects.get(pk=row.pk).name != "Taken"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"issuer": "http://login.example"}, "https address"),
        ({"issuer": "https://user:pw@login.example"}, "https address"),
        ({"issuer": "file:///etc/passwd"}, "https address"),
        ({"issuer": "http://127.0.0.1:9"}, "not answering"),
        ({"slug": "openid_connect"}, "taken"),
        ({"slug": "a/b"}, "valid"),
        ({"scopes": "email"}, "openid"),
        ({"sign_up": "domain"}, "Name the domains"),
        ({"sign_up": "domain", "listed_domains": "not a domain!"}, "not domains"),
        ({"name": ""}, "required"),
    ],
)
def test_a_mistake_in_the_form_is_said_and_nothing_is_saved(
    superuser: Traveller, issuer: Issuer, wrong: dict[str, str], words: str
) -> None:
    answer = save(superuser, filled(issuer, **wrong))
    assert answer.status_code == 200
    assert words in answer.text
    assert SECRET not in answer.text
    assert not IdentityProvider.objects.exists()


def test_an_issuer_that_calls_itself_something_else_cannot_be_turned_on(superuser: Traveller, issuer: Issuer) -> None:
    issuer.lie = Lie(metadata={"issuer": "https://other.example"})
    assert "calls itself something else" in save(superuser, filled(issuer)).text
    assert save(superuser, filled(issuer, enabled=None)).status_code == 302


def test_another_issuer_needs_its_own_secret(superuser: Traveller, issuer: Issuer) -> None:
    save(superuser, filled(issuer))
    row = IdentityProvider.objects.get()
    moved = filled(issuer, issuer="https://evil.example", new_secret="", enabled=None)
    assert "belongs to the old one" in save(superuser, moved, row).text
    assert IdentityProvider.objects.get().issuer == issuer.url


# ---------------------------------------------------------------- while accounts use it
@pytest.fixture
def used(superuser: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider) -> IdentityProvider:
    """Eve signs in with Acme and with nothing else."""
    issuer.person = {"sub": "eve-1", "email": "eve@example.com", "email_verified": True}
    eve.travel(issuer)
    return acme


def test_the_issuer_stays_while_an_account_uses_it(
    superuser: Traveller, issuer: Issuer, used: IdentityProvider
) -> None:
    answer = save(superuser, filled(issuer, issuer="https://evil.example", enabled=None, strand="on"), used)
    assert "Accounts are linked to this issuer, so it stays" in answer.text
    used.issuer = "https://evil.example"
    with pytest.raises(ValidationError):
        used.save()
    assert IdentityProvider.objects.get().issuer == issuer.url


def test_the_short_name_stays_whatever_a_form_says(
    superuser: Traveller, issuer: Issuer, used: IdentityProvider
) -> None:
    save(superuser, filled(issuer, slug="other", name="Renamed"), used)
    assert (IdentityProvider.objects.get().slug, IdentityProvider.objects.get().name) == ("acme", "Renamed")
    used.slug = "other"
    with pytest.raises(ValidationError):
        used.save()


def test_a_name_that_accounts_are_found_by_is_never_free_for_another_issuer(
    superuser: Traveller, issuer: Issuer, used: IdentityProvider
) -> None:
    assert superuser.client.post(f"{PAGE}{used.pk}/delete/", {"post": "yes"}).status_code == 403
    IdentityProvider.objects.filter(pk=used.pk).delete()
    assert "taken" in save(superuser, filled(issuer, issuer="https://evil.example", enabled=None)).text
    with pytest.raises(ValidationError):
        make_provider(issuer)


def test_turning_it_off_names_who_would_be_left_outside_and_asks(
    superuser: Traveller, eve: Traveller, issuer: Issuer, used: IdentityProvider
) -> None:
    answer = save(superuser, filled(issuer, enabled=None), used)
    assert "1 person signs in this way only: eve@example.com" in answer.text
    assert "this way only" in save(superuser, filled(issuer, client_id=""), used).text
    assert IdentityProvider.objects.get().enabled
    assert save(superuser, filled(issuer, enabled=None, strand="on"), used).status_code == 302
    assert not IdentityProvider.objects.get().enabled
    eve.client.cookies.clear()
    page = eve.confirm(eve.post("/accounts/login/", login="eve@example.com"))
    assert "Finish your account" in page.text


def test_nobody_is_named_who_has_a_passkey_too(
    superuser: Traveller, eve: Traveller, issuer: Issuer, used: IdentityProvider
) -> None:
    eve.make_passkey(eve.get("/accounts/2fa/webauthn/add/"))
    assert save(superuser, filled(issuer, enabled=None), used).status_code == 302
    assert SocialAccount.objects.count() == 1
