"""Who may keep which credential, and where it may be sent."""

from django.conf import settings
from django.http import HttpRequest

from accounts.loopback import from_this_machine
from accounts.policies import Actor
from accounts.problems import Problem
from providers.models import Credential


def may_share(actor: Actor) -> bool:
    """Workspace keys, and where they are sent, are the administrators' business."""
    return actor.administers


def require_sharing(actor: Actor) -> None:
    if not may_share(actor):
        raise Problem(
            403,
            "not_allowed",
            "Only an administrator manages the workspace's keys.",
            "Add a key of your own, or ask an administrator.",
        )


def private_addresses_allowed() -> bool:
    """Whether an administrator may name a private address as a base URL: on somebody's own machine only."""
    return bool(settings.DEVELOPMENT)


def subject_token_file() -> str:
    """The file with the installation's own signed token, as the operator named it; empty for none."""
    path: str = settings.WORKLOAD_IDENTITY_TOKEN_FILE
    return path


def workload_identity_allowed() -> bool:
    """Whether workspaces may exchange signed tokens: the operator says so."""
    return bool(settings.WORKLOAD_IDENTITY)


def require_workload_identity(*, shared: bool) -> None:
    """It stands for a service and not for a person, so a workspace has one and a member has none."""
    if not workload_identity_allowed():
        raise Problem(
            403,
            "policy_denied",
            "This installation does not offer workload identity.",
            "The operator allows it with PARLEY_WORKLOAD_IDENTITY.",
        )
    if not shared:
        raise Problem(422, "invalid_shared", "Workload identity belongs to a workspace.", field="shared")


def chatgpt_plan_allowed() -> bool:
    """Whether people may use their own ChatGPT plans: the operator says so, on a loopback installation only."""
    return bool(settings.CHATGPT_PLAN)


def may_sign_in_with_chatgpt(request: HttpRequest) -> bool:
    """Plans stay on their owner's machine, so whoever signs in with one has to be at it."""
    return chatgpt_plan_allowed() and from_this_machine(request)


def may_see_codex_login(request: HttpRequest, actor: Actor) -> bool:
    """It is the login of whoever runs the server: an administrator sees it, at this very machine."""
    return bool(settings.CODEX_LOGIN) and actor.administers and from_this_machine(request)


def require_codex_login(request: HttpRequest, actor: Actor) -> None:
    if not may_see_codex_login(request, actor):
        raise Problem(
            403,
            "policy_denied",
            "This installation does not show a Codex login.",
            "The operator may allow it with PARLEY_CODEX_LOGIN, to administrators at a machine of one's own.",
        )


def method_allowed(method: str) -> bool:
    """Whether the operator allows sessions that came about like this."""
    match method:
        case Credential.Method.OPENAI_CHATGPT:
            return chatgpt_plan_allowed()
        case Credential.Method.WORKLOAD_IDENTITY:
            return workload_identity_allowed()
    return True


def may_check_all(actor: Actor) -> bool:
    return actor.administers


def require_check_all(actor: Actor) -> None:
    if not may_check_all(actor):
        raise Problem(
            403, "not_allowed", "Only an administrator checks all providers.", "Yours are on the settings page."
        )


def require_drills(actor: Actor) -> None:
    if not actor.administers:
        raise Problem(
            403, "not_allowed", "Only an administrator runs drills.", "Ask an administrator of the workspace."
        )
