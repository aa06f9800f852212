"""Who may make an account through an identity provider, which workspace that opens, and what it never gives."""

import re
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import mail

from accounts import invitations
from accounts.models import IdentityProvider, Membership, Role, User, Workspace
from accounts.models.identity import CHATGPT_ISSUER, GOOGLE_ISSUER
from accounts.oidc.verify import Claims
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import Traveller, make_provider
from tests.factories import make_actor, make_workspace

GREEDY = {"role": "owner", "roles": ["admin"], "is_staff": True, "is_superuser": True, "groups": ["administrators"]}


def memberships() -> list[tuple[str, str]]:
    return list(Membership.objects.order_by("pk").values_list("workspace__name", "role"))


def code_from_mail(person: Traveller, page: Any) -> Any:
    """The address is proven with the code that was sent to it."""
    return person.confirm(page)


def test_an_open_sign_up_ends_as_a_member_whatever_the_issuer_says(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    issuer.person |= GREEDY
    dora.travel(issuer)
    user = User.objects.get()
    assert memberships() == [("Workspace", "member")]
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (False, False, False)
    assert user.name == "Dora"
    assert dora.get("/admin/").status_code == 403


def test_a_second_sign_in_makes_nothing_more(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    dora.travel(issuer)
    Membership.objects.all().delete()
    dora.sign_out()
    page = dora.travel(issuer, next="/settings/tokens/")
    assert dora.is_in
    assert memberships() == []
    assert page.status_code == 403
    assert User.objects.count() == SocialAccount.objects.count() == 1


def test_where_an_invitation_is_needed_a_stranger_is_told_whom_to_ask(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    IdentityProvider.objects.update(sign_up="invitation")
    page = dora.travel(issuer)
    assert page.status_code == 403
    assert "New accounts need an invitation: ask an administrator" in page.text
    assert "dora@example.com" in page.text
    assert not User.objects.exists()


def test_whether_an_account_exists_is_not_told_to_who_has_not_proven_the_address(
    dora: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    dora.sign_up()
    IdentityProvider.objects.update(sign_up="invitation")
    pages = []
    for address in ("dora@example.com", "nobody@example.com"):
        issuer.person = {"sub": address, "email": address, "email_verified": False}
        text = eve.travel(issuer).text.replace(address, "X")
        pages.append(re.sub(r'csrfmiddlewaretoken" value="\w+"', "", text))
    assert pages[0] == pages[1]


def test_an_address_that_the_issuer_has_not_verified_is_proven_with_a_code(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    issuer.person |= {"email_verified": "false"}
    page = dora.travel(issuer)
    assert not dora.is_in
    assert memberships() == []
    code_from_mail(dora, page)
    assert dora.is_in
    assert memberships() == [("Workspace", "member")]


def test_without_an_address_it_is_asked_for_and_proven(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    issuer.person = {"sub": "dora-1"}
    page = dora.travel(issuer)
    assert "Acme gave no email address" in page.text
    page = dora.post(page.request["PATH_INFO"], email="dora@example.com")
    assert not dora.is_in
    code_from_mail(dora, page)
    assert dora.email_of_session == "dora@example.com"


# ---------------------------------------------------------------- a workspace's own
@pytest.fixture
def own(db: None, issuer: Issuer) -> IdentityProvider:
    """The identity provider of the workspace Research, for people of example.com. There is another workspace."""
    make_workspace("First")
    return make_provider(issuer, "own", workspace=make_workspace("Research"), sign_up="domain", domains=["example.com"])


def test_a_workspaces_own_people_become_members_once_their_mailbox_is_proven(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    page = dora.travel(issuer, "own")
    assert not dora.is_in
    code_from_mail(dora, page)
    assert memberships() == [("Research", "member")]


def test_people_of_other_domains_stay_outside(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    issuer.person |= {"email": "dora@example.com.evil.example"}
    page = dora.travel(issuer, "own")
    assert page.status_code == 403
    assert "for people of example.com" in page.text
    assert not User.objects.exists()


def test_a_link_from_the_settings_opens_the_workspace_for_a_proven_address(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    dora.sign_up()
    dora.travel(issuer, "own", process="connect")
    dora.post("/link/")
    assert set(memberships()) == {("First", "member"), ("Research", "member")}


def test_an_address_that_only_the_workspaces_issuer_claims_opens_nothing(
    eve: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    eve.email = "eve@elsewhere.example"
    eve.sign_up()
    eve.travel(issuer, "own", process="connect")
    eve.post("/link/")
    assert SocialAccount.objects.count() == 1
    assert memberships() == [("First", "member")]


def test_a_role_that_exists_is_left_as_it_is(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    dora.sign_up()
    Membership.objects.create(user=User.objects.get(), workspace=own.workspace, role=Role.ADMIN)
    dora.travel(issuer, "own", process="connect")
    dora.post("/link/")
    assert ("Research", "admin") in memberships()


def test_a_session_from_a_workspaces_own_issuer_reaches_that_workspace_only(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    code_from_mail(dora, dora.travel(issuer, "own"))
    user, elsewhere = User.objects.get(), make_workspace("Elsewhere")
    Membership.objects.create(user=user, workspace=elsewhere, role=Role.OWNER)
    dora.sign_out()
    dora.travel(issuer, "own")
    session = dora.client.session
    session["workspace"] = str(elsewhere.pk)
    session.save()
    assert dora.client.get("/api/v1/me/").json()["workspace"]["name"] == "Research"
    dora.sign_out()
    dora.confirm(dora.post("/accounts/login/", login="dora@example.com"))
    session = dora.client.session
    session["workspace"] = str(elsewhere.pk)
    session.save()
    assert dora.client.get("/api/v1/me/").json()["workspace"]["name"] == "Elsewhere"


# ---------------------------------------------------------------- whose word counts
def row(issuer: str, *, workspace: Workspace | None = None) -> IdentityProvider:
    return IdentityProvider(slug="x", issuer=issuer, workspace=workspace, sign_up="domain", domains=["example.com"])


@pytest.mark.parametrize(
    ("issuer", "claims", "lets_in"),
    [
        (GOOGLE_ISSUER, {"email": "a@example.com", "hosted_domain": "example.com"}, True),
        (GOOGLE_ISSUER, {"email": "a@example.com", "hosted_domain": ""}, False),
        (GOOGLE_ISSUER, {"email": "a@example.com", "hosted_domain": "other.example"}, False),
        (CHATGPT_ISSUER, {"email": "a@other.example", "hosted_domain": "example.com"}, False),
        ("https://login.example", {"email": "a@example.com"}, True),
        ("https://login.example", {"email": "a@sub.example.com"}, False),
        ("https://login.example", {"email": ""}, False),
    ],
)
def test_google_vouches_for_its_own_domains_and_a_mailbox_for_every_other(
    issuer: str, claims: dict[str, str], lets_in: bool
) -> None:
    from accounts.joining import may_sign_up

    assert may_sign_up(row(issuer), Claims(issuer=issuer, subject="s", **claims)) is lets_in


def test_chatgpt_alone_does_not_prove_a_companys_mailbox(
    dora: Traveller, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer's address is proven by the code that we send to it."""
    monkeypatch.setattr("accounts.models.identity.CHATGPT_ISSUER", issuer.url)
    make_provider(issuer, sign_up="domain", domains=["example.com"])
    page = dora.travel(issuer)
    assert not dora.is_in
    assert mail.outbox[-1].to == ["dora@example.com"]
    code_from_mail(dora, page)
    assert memberships() == [("Workspace", "member")]


def test_what_the_operator_chose_is_believed_and_what_a_workspace_runs_is_not(db: None) -> None:
    place = make_workspace()
    assert row("https://login.example").vouched
    assert not row("https://login.example", workspace=place).vouched
    assert row(GOOGLE_ISSUER, workspace=place).vouched
    assert not row(CHATGPT_ISSUER, workspace=place).vouched


# ---------------------------------------------------------------- what proves what
def test_coming_from_an_issuer_proves_nothing_later(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    dora.travel(issuer)
    assert dora.get("/accounts/2fa/webauthn/add/").status_code == 200
    dora.sign_out()
    dora.travel(issuer)
    for path in ("/accounts/2fa/webauthn/add/", f"/settings/accounts/linked/{SocialAccount.objects.get().pk}/unlink/"):
        assert dora.get(path).request["PATH_INFO"] == "/settings/accounts/sign-in-again/"
    page = dora.post("/settings/tokens/", name="Late", scopes=["chat"], days="7")
    assert page.request["PATH_INFO"] == "/settings/accounts/sign-in-again/"
    dora.post("/settings/accounts/sign-in-again/", next="/accounts/2fa/webauthn/add/")
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email, next="/accounts/2fa/webauthn/add/"))
    assert "Name of this passkey" in page.text


def test_the_console_asks_an_administrator_who_came_from_an_issuer_for_a_passkey(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    dora.travel(issuer)
    membership = Membership.objects.get()
    Membership.objects.filter(pk=membership.pk).update(role=Role.ADMIN)
    User.objects.update(is_staff=True)
    page = dora.get("/admin/")
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/add/"
    dora.make_passkey(page)
    assert "Active members" in dora.get("/admin/").text
    dora.sign_out()
    page = dora.travel(issuer, next="/admin/")
    assert page.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    assert not dora.is_in
    assert dora.prove(page).request["PATH_INFO"] == "/admin/"


def test_a_closed_account_does_not_come_in_by_its_issuer(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    dora.travel(issuer)
    dora.sign_out()
    User.objects.update(is_active=False)
    assert "This account is closed" in dora.travel(issuer).text
    assert not dora.is_in


def test_the_list_of_sessions_says_how_each_began(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    make_actor()
    dora.travel(issuer)
    assert "<span>Acme</span>" in dora.get("/settings/accounts/").text


# ---------------------------------------------------------------- by invitation
@pytest.fixture
def invited(dora: Traveller, issuer: Issuer, acme: IdentityProvider, settings: Any) -> Traveller:
    """Dora has opened the link of an invitation to administer alice's workspace; nothing is open to others."""
    settings.SIGNUP_OPEN = False
    IdentityProvider.objects.update(sign_up="invitation")
    _, link = invitations.invite(make_actor(), "dora@example.com", Role.ADMIN, "http://localhost")
    dora.get(link.removeprefix("http://localhost"))
    return dora


def test_an_invitation_opens_the_door_and_gives_the_role_that_it_names(invited: Traveller, issuer: Issuer) -> None:
    invited.travel(issuer)
    assert invited.email_of_session == "dora@example.com"
    assert Membership.objects.get(user__email="dora@example.com").role == Role.ADMIN


def test_an_invitation_for_another_address_opens_nothing(invited: Traveller, issuer: Issuer) -> None:
    issuer.person |= {"email": "eve@example.com"}
    assert invited.travel(issuer).status_code == 403
    assert not User.objects.filter(email="eve@example.com").exists()


def test_an_invited_address_that_is_only_claimed_is_proven_first(invited: Traveller, issuer: Issuer) -> None:
    issuer.person |= {"email_verified": False}
    page = invited.travel(issuer)
    assert not Membership.objects.filter(user__email="dora@example.com").exists()
    code_from_mail(invited, page)
    assert Membership.objects.get(user__email="dora@example.com").role == Role.ADMIN
