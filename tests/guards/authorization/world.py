"""Two workspaces with everything in them twice, six people, and a browser for each of them."""

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.utils import timezone
from fido2.utils import websafe_encode

from accounts import tokens
from accounts.models import AuditEntry, IdentityProvider, Invitation, Role, User, Workspace
from accounts.policies import Actor, actor_for
from catalog.models import Context, ContextDefault, FallbackStep, LanguageModel, Limit, ModelAlias, ModelMigration, Rule
from chat.models import Attachment, AttachmentPage, Compaction, McpServer, Run, Specialist, UsageEntry
from providers.models import Credential, Drill, ProviderHealth
from providers.preferences import CredentialPolicy
from tests.accounts.conftest import prove_passkey
from tests.accounts.device import SoftDevice
from tests.chat.engine.rows import make_run
from tests.factories import make_member, make_user, make_workspace
from tests.guards.authorization.rules import (
    ADMIN,
    DELETED,
    DOOR,
    GONE,
    MEMBER,
    NO,
    OTHER,
    OUTSIDER,
    OWN,
    OWNER,
    PASS,
    SUPERUSER,
)

NOWHERE = "00000000-0000-4000-8000-00000000dead"
NO_NUMBER = "99999999"
NUMBERED = {
    *("linked account", "session", "passkey"),
    "default",
    "fallback",
    "model",
    "audit",
    "health",
    "alias",
    "rule",
    "limit",
    "usage",
    "migration",
}
MATES = {MEMBER: OWNER, ADMIN: MEMBER, OWNER: MEMBER}
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
NAMED = {"context": "chat"}
SAMPLES = {"slug": "openai", "str": "nonsense", "path": "x", "int": NO_NUMBER, "uuid": NOWHERE}


@dataclass
class World:
    """`personal[kind][role]` and `common[kind][workspace]` are ids."""

    ours: Workspace
    theirs: Workspace
    people: dict[str, User] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    personal: dict[str, dict[str, str]] = field(default_factory=dict)
    common: dict[str, dict[uuid.UUID, str]] = field(default_factory=dict)

    def workspace_of(self, role: str) -> Workspace:
        return self.theirs if role == OUTSIDER else self.ours

    def id_of(self, kind: str, role: str, place: str) -> str | None:
        """The id in that place as seen by `role`; None where there is none."""
        nothing = NO_NUMBER if kind in NUMBERED else NOWHERE
        if place == DELETED:
            return nothing
        if kind in self.common:
            here = self.workspace_of(role)
            there = self.ours if here == self.theirs else self.theirs
            return self.common[kind][there.pk if place == OTHER else here.pk]
        whose = {OWN: role, OTHER: OWNER if role == OUTSIDER else OUTSIDER}.get(place, MATES.get(role, ""))
        return self.personal[kind].get(whose)

    def beside(self, kind: str, role: str) -> str | None:
        """One's own thing of a kind; a number is one already."""
        return kind if not kind or kind.isdigit() else self.id_of(kind, role, OWN)

    def ask(self, role: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request, whose effects are undone again."""
        client = Client(raise_request_exception=False)
        if role in self.cookies:
            client.cookies["sessionid"] = self.cookies[role]
        sent: dict[str, Any] = {"data": body or {}}
        if path.startswith("/api/") or method not in {"GET", "POST"}:
            sent["content_type"] = "application/json"
        if method == "GET":
            sent = {}
        with transaction.atomic():
            answer = getattr(client, method.lower())(path, **sent)
            transaction.set_rollback(True)
        return answer

    def filled(self, body: Any, role: str) -> dict[str, Any]:
        """`{workspace}` in a body stands for the one that `role` is in."""
        own = str(self.workspace_of(role).pk)
        return {name: own if value == "{workspace}" else value for name, value in dict(body).items()}


def path_of(route: str, *pks: str | None) -> str:
    """The address of a route, with `pks` for the ids in it, in their order, and samples for everything else."""
    given = iter([pk for pk in pks if pk])

    def fill(match: re.Match[str]) -> str:
        converter = match[1] or "str"
        sample = NAMED.get(match[2], SAMPLES[converter])
        return next(given, sample) if converter in {"uuid", "int"} else sample

    return "/" + PARAMETER.sub(fill, route)


def outcome(answer: Any) -> str:
    doors = ("/accounts/login/", "/admin/login/")
    if answer.status_code == 401 or (answer.status_code == 302 and answer["Location"].startswith(doors)):
        return DOOR
    if answer.status_code >= 500:
        return str(answer.status_code)
    return {403: NO, 404: GONE, 405: "405"}.get(answer.status_code, PASS)


# ---------------------------------------------------------------- making it
def make_world() -> World:
    world = World(make_workspace("Ours"), make_workspace("Theirs"))
    for workspace in (world.ours, world.theirs):
        slug = workspace.name.lower()
        IdentityProvider.objects.create(workspace=workspace, slug=slug, name="Acme", issuer="https://login.example")
    roles = {OUTSIDER: Role.OWNER, MEMBER: Role.MEMBER, ADMIN: Role.ADMIN, OWNER: Role.OWNER}
    for name, role in roles.items():
        world.people[name] = _person(name)
        actor = actor_for(make_member(world.people[name], world.workspace_of(name), role))
        _personal(world, name, actor)
    world.people[SUPERUSER] = _person(SUPERUSER, is_superuser=True)
    for workspace in (world.ours, world.theirs):
        _common(world, workspace)
    for name, user in world.people.items():
        client = Client()
        client.force_login(user)
        prove_passkey(client)
        world.cookies[name] = client.cookies["sessionid"].value
    _everybodys(world)
    return world


def _person(name: str, **over: Any) -> User:
    user = make_user(f"{name}@example.com", **over)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _personal(world: World, role: str, actor: Actor) -> None:
    user, workspace = world.people[role], world.workspace_of(role)
    run = make_run(actor, state=Run.State.DONE)
    structured = Run.objects.create(
        stream_id=uuid.uuid4(),
        context=Context.STRUCTURED,
        workspace=workspace,
        user=user,
        branch=uuid.uuid4(),
        state=Run.State.DONE,
        input={"schema": {}, "messages": [{"role": "user", "text": "x"}]},
    )
    asked = {"publicKey": {"user": {"id": websafe_encode(user.pk.bytes)}, "challenge": websafe_encode(b"challenge")}}
    passkey = WebAuthn.add(user, "Laptop", json.loads(SoftDevice().create(asked))).instance
    token = tokens.mint(user, workspace, "test", ["chat"])[0]
    session = UserSession.objects.create(user=user, ip="127.0.0.1", user_agent="x", session_key=f"none-{role}")
    linked = SocialAccount.objects.create(user=user, provider=workspace.name.lower(), uid=role)
    attachment, document = (_file(user, workspace, purpose) for purpose in Attachment.Purpose)
    AttachmentPage.objects.create(attachment=document, number=1, text="A page.")
    asked = Run.objects.create(
        stream_id=uuid.uuid4(),
        context=Context.DOC,
        workspace=workspace,
        user=user,
        branch=uuid.uuid4(),
        state=Run.State.DONE,
        document=document,
        input={"task": "summary", "question": ""},
    )
    compaction = Compaction.objects.create(
        conversation=run.conversation, upto=run.answer, summary="Greetings.", messages=1
    )
    made = {
        "compaction": compaction.pk,
        "linked account": linked.pk,
        "attachment": attachment.pk,
        "document": document.pk,
        "document run": asked.pk,
        "conversation": run.conversation_id,
        "message": run.answer.parent_id if run.answer else None,
        "answer": run.answer_id,
        "run": run.pk,
        "structured run": structured.pk,
        "credential": _credential(workspace, user).pk,
        "token": token.pk,
        "session": session.pk,
        "passkey": passkey.pk,
        "user": user.pk,
    }
    for kind, pk in made.items():
        world.personal.setdefault(kind, {})[role] = str(pk)


def _common(world: World, workspace: Workspace) -> None:
    other = make_member(_person(f"somebody-in-{workspace.name.lower()}"), workspace)
    now = timezone.now()
    invitation = Invitation.objects.create(
        workspace=workspace, email="eve@example.com", digest=workspace.name, sent_at=now, expires_at=now
    )
    drill = Drill.objects.create(
        workspace=workspace, provider_id="openai", kind="outage", streams=1, state=Drill.State.PASSED, beat_at=now
    )
    server = McpServer.objects.create(workspace=workspace, name="Files", url="https://example.com/mcp", enabled=False)
    made = {
        "drill": drill.pk,
        "MCP server": server.pk,
        "workspace": workspace.pk,
        "membership": other.pk,
        "member's account": other.user_id,
        "invitation": invitation.pk,
        "workspace credential": _credential(workspace, None).pk,
        "credential policy": CredentialPolicy.objects.create(workspace=workspace, references=True).pk,
        "identity provider": IdentityProvider.objects.get(workspace=workspace).pk,
    }
    for kind, pk in made.items():
        world.common.setdefault(kind, {})[workspace.pk] = str(pk)


def _everybodys(world: World) -> None:
    """What the console shows beside, of the installation and of each workspace."""
    model = LanguageModel.objects.create(
        provider_id="openai", model_id="gpt-x", label="GPT X", shared=True, last_seen_at=timezone.now()
    )
    ProviderHealth.objects.create(provider_id="openai", since=timezone.now())
    for workspace in (world.ours, world.theirs):
        default = ContextDefault.objects.create(context="chat", workspace=workspace, model=model)
        step = FallbackStep.objects.create(workspace=workspace, model=model)
        alias = ModelAlias.objects.create(name="quick", workspace=workspace, target=model, reason="It is.")
        rule = Rule.objects.create(workspace=workspace, effect="deny", provider_id="gemini")
        limit = Limit.objects.create(workspace=workspace, hard=1000)
        used = UsageEntry.objects.create(workspace=workspace, at=timezone.now(), context="chat")
        moved = ModelMigration.objects.create(workspace=workspace, from_model="a/b", to_model="a/c")
        specialist = Specialist.objects.create(workspace=workspace, name="Writer", slug="writer", description="Writes.")
        run = Run.objects.filter(workspace=workspace).latest("created_at")
        ours = {
            "member's run": run.pk,
            "alias": alias.pk,
            "rule": rule.pk,
            "limit": limit.pk,
            "usage": used.pk,
            "migration": moved.pk,
            "specialist": specialist.pk,
        }
        audited = AuditEntry.objects.filter(workspace_id=workspace.pk).latest("pk")
        made = {
            "default": default.pk,
            "fallback": step.pk,
            "model": model.pk,
            "audit": audited.pk,
            "health": "openai",
        } | ours
        for kind, pk in made.items():
            world.common.setdefault(kind, {})[workspace.pk] = str(pk)


def _file(user: User, workspace: Workspace, purpose: str) -> Attachment:
    return Attachment.objects.create(
        workspace=workspace,
        owner=user,
        purpose=purpose,
        filename="notes.txt",
        kind=Attachment.Kind.TEXT,
        media_type="text/plain",
        size=5,
        sha256="0" * 64,
        file=ContentFile(b"Hello", name="notes.txt"),
        state=Attachment.State.READY, page_count=1,
    )  # fmt: skip


def _credential(workspace: Workspace, user: User | None) -> Credential:
    return Credential.objects.create(
        workspace=workspace, user=user, provider_id="openai", hint="sk-…abcd", fingerprint=f"{workspace.pk}{user}"[:32]
    )
