"""Roles that a workspace maps from what its own issuer says: made, promoted, demoted, ended; never more than that."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from accounts import memberships
from accounts.actors import BOUND_KEY
from accounts.models import AuditEntry, IdentityProvider, Membership, Role, User
from accounts.oidc import claim_map
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import Traveller, make_provider
from tests.accounts.identity.test_joining import code_from_mail
from tests.factories import make_workspace

LINES = claim_map.parse("member groups staff\nadmin realm.roles parley admins")


@pytest.fixture
def own(db: None, issuer: Issuer) -> IdentityProvider:
    """The identity provider of the workspace Research, which maps two claims. There is another workspace."""
    make_workspace("First")
    return make_provider(issuer, "own", workspace=make_workspace("Research"), sign_up="invitation", roles=LINES)


def roles() -> dict[str, str]:
    return dict(Membership.objects.values_list("workspace__name", "role"))


def arrive(person: Traveller, issuer: Issuer, **claims: Any) -> Any:
    """The first time: the mailbox is proven with a code."""
    issuer.person |= claims
    return code_from_mail(person, person.travel(issuer, "own"))


def come_again(person: Traveller, issuer: Issuer, **claims: Any) -> None:
    """Somebody who owns a passkey uses it after the issuer."""
    person.sign_out()
    issuer.person = {name: value for name, value in (issuer.person | claims).items() if value is not None}
    page = person.travel(issuer, "own")
    if page.request["PATH_INFO"] == "/accounts/2fa/authenticate/":
        person.prove(page)
    assert person.is_in


def add_passkey(person: Traveller) -> None:
    person.make_passkey(person.get("/accounts/2fa/webauthn/add/"))


def later(monkeypatch: pytest.MonkeyPatch, *, minutes: int) -> None:
    at = time.time() + minutes * 60
    monkeypatch.setattr(time, "time", lambda: at)


# ---------------------------------------------------------------- the lines
@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["staff", "other"]}, "member"),
        ({"groups": "staff"}, "member"),
        ({"groups": ["Staff", "staffing"]}, ""),
        ({"realm": {"roles": ["parley admins"]}}, "admin"),
        ({"realm.roles": ["parley admins"]}, "admin"),
        ({"groups": ["staff"], "realm": {"roles": ["parley admins"]}}, "admin"),
        ({"realm": "parley admins"}, ""),
        ({"groups": {"staff": True}}, ""),
        ({}, ""),
    ],
)
def test_claims_give_the_highest_role_that_a_line_names(claims: dict[str, Any], role: str) -> None:
    assert claim_map.mapped(LINES, claims) == role


def test_a_truth_value_is_written_as_the_token_writes_it() -> None:
    assert claim_map.mapped(claim_map.parse("member employee true"), {"employee": True}) == "member"
    assert claim_map.mapped(claim_map.parse("member employee true"), {"employee": False}) == ""


@pytest.mark.parametrize(
    "text",
    ["owner groups x", "superuser groups x", "admin groups", "admin", "Admin groups x", "admin gro{ups x",
     "admin groups " + "x" * 201, "member groups x\n" * 21],
)  # fmt: skip
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(claim_map.NotALine):
        claim_map.parse(text)


def test_the_map_is_shown_as_it_was_entered() -> None:
    assert claim_map.parse(claim_map.shown(LINES)) == LINES


# ---------------------------------------------------------------- what follows from them
def test_a_claim_opens_the_door_and_makes_a_member(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    arrive(dora, issuer, groups=["staff"])
    assert roles() == {"Research": "member"}
    assert AuditEntry.objects.get(action="member.joined").data["identity_provider"] == "own"


def test_who_takes_long_to_type_the_code_gets_the_role_and_stays_in_the_workspace_of_the_issuer(
    dora: Traveller, issuer: Issuer, own: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.person |= {"groups": ["staff"]}
    page = dora.travel(issuer, "own")
    later(monkeypatch, minutes=14)
    code_from_mail(dora, page)
    assert roles() == {"Research": "member"}
    assert dora.client.session[BOUND_KEY] == str(own.workspace_id)


def test_without_a_fitting_claim_an_invitation_is_needed(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    issuer.person |= {"groups": ["other"]}
    assert dora.travel(issuer, "own").status_code == 403
    assert not User.objects.exists()


def test_an_administrator_by_claim_is_a_member_until_there_is_a_passkey(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    arrive(dora, issuer, realm={"roles": ["parley admins"]})
    assert roles() == {"Research": "member"}
    add_passkey(dora)
    assert roles() == {"Research": "admin"}
    assert User.objects.get().is_staff
    changed = AuditEntry.objects.get(action="member.role_changed")
    assert (changed.data["before"], changed.data["after"]) == ("member", "admin")


def test_a_claim_that_changes_promotes_demotes_and_ends(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    arrive(dora, issuer, groups=["staff"])
    add_passkey(dora)
    come_again(dora, issuer, realm={"roles": ["parley admins"]})
    assert roles() == {"Research": "admin"}
    come_again(dora, issuer, realm=None)
    assert roles() == {"Research": "member"}
    assert not User.objects.get().is_staff
    come_again(dora, issuer, groups=None)
    assert roles() == {}
    assert AuditEntry.objects.filter(action="member.removed").exists()


def test_where_the_rule_lets_people_in_a_lost_claim_leaves_a_member(
    dora: Traveller, issuer: Issuer, own: IdentityProvider
) -> None:
    IdentityProvider.objects.update(sign_up="open")
    arrive(dora, issuer, realm={"roles": ["parley admins"]})
    add_passkey(dora)
    assert roles() == {"Research": "admin"}
    come_again(dora, issuer, realm=None)
    assert roles() == {"Research": "member"}


@pytest.mark.parametrize(("given", "says"), [(Role.OWNER, None), (Role.MEMBER, {"roles": ["parley admins"]})])
def test_a_role_that_a_person_gave_stays(
    dora: Traveller, issuer: Issuer, own: IdentityProvider, given: Role, says: Any
) -> None:
    arrive(dora, issuer, realm={"roles": ["parley admins"]})
    add_passkey(dora)
    assert own.workspace
    memberships.grant(User.objects.get(), own.workspace, given)
    come_again(dora, issuer, realm=says)
    assert roles() == {"Research": str(given)}


def test_the_map_reaches_its_own_workspace_only(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    IdentityProvider.objects.update(workspace=None, sign_up="open")
    issuer.person |= {"realm": {"roles": ["parley admins"]}}
    dora.travel(issuer, "own")
    add_passkey(dora)
    assert roles() == {"First": "member"}


def test_a_provider_that_is_off_promotes_nobody(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    arrive(dora, issuer, realm={"roles": ["parley admins"]})
    IdentityProvider.objects.update(enabled=False)
    add_passkey(dora)
    assert Authenticator.objects.filter(type="webauthn").exists()
    assert roles() == {"Research": "member"}


def test_a_link_from_the_settings_brings_the_role(dora: Traveller, issuer: Issuer, own: IdentityProvider) -> None:
    dora.sign_up()
    issuer.person |= {"realm": {"roles": ["parley admins"]}}
    dora.travel(issuer, "own", process="connect")
    assert roles() == {"First": "member"}
    dora.post("/link/")
    assert roles() == {"First": "member", "Research": "admin"}
