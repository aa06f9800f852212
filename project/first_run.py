"""What an installation needs before it is of use: tables, a workspace, an owner, ways in. Safe to repeat."""

from dataclasses import dataclass

from django.core.management import call_command
from django.db import transaction

from accounts.links import make_sign_in_link
from accounts.memberships import first_workspace, grant
from accounts.models import ApiToken, Membership, Role, User
from accounts.policies import SCOPES
from accounts.tokens import mint, revoke
from catalog.defaults import INSTALLED
from catalog.models import ContextDefault, LanguageModel

DEFAULT_OWNER = "owner@localhost"
TOKEN_NAME = "up"  # noqa: S105 - the name of the tokens that starts leave behind, no secret
KEPT_TOKENS = 5


@dataclass(frozen=True, slots=True)
class WaysIn:
    """`path` signs the owner in once; `api_token` is theirs, with every scope, readable only here."""

    email: str
    path: str
    api_token: str


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)


@transaction.atomic
def ways_in(email: str | None) -> WaysIn:
    """The first owner, made when there is none (or none with this address), and fresh ways in for them."""
    membership = _owner(email)
    living = ApiToken.objects.filter(user=membership.user, name=TOKEN_NAME, revoked_at=None).order_by("-created_at")
    for token in living[KEPT_TOKENS - 1 :]:
        revoke(token, by=None)
    _, plain = mint(membership.user, membership.workspace, TOKEN_NAME, SCOPES)
    return WaysIn(membership.user.email, make_sign_in_link(membership.user), plain)


@transaction.atomic
def answer_with(provider_id: str) -> None:
    """Make this provider's first real model the installation's default, in every context that has one."""
    listed = LanguageModel.objects.filter(provider_id=provider_id, sandbox=False)
    model = listed.exclude(lifecycle=LanguageModel.Lifecycle.VANISHED).order_by("-last_seen_at").first()
    if model is not None:
        for context in INSTALLED:
            ContextDefault.objects.update_or_create(
                context=context.value, workspace=None, user=None, defaults={"model": model}
            )


def _owner(email: str | None) -> Membership:
    workspace = first_workspace()
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER, user__is_active=True)
    if email:
        owners = owners.filter(user__email__iexact=email)
    found = owners.select_related("user", "workspace").order_by("created_at").first()
    return found or grant(_person(email or DEFAULT_OWNER), workspace, Role.OWNER)


def _person(email: str) -> User:
    return User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
