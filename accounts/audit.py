"""Who changed what: `record` adds an entry to a chain that shows when an entry was changed, removed or moved, and
`broken` checks the chains. What is shown of them is up to the doors.

There is a chain for each workspace and one for the installation, so what is recorded in one workspace waits for nobody
in another. `docs/decisions/0020-audit-chains.md` says what this protects against, and what not.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuditEntry, AuditHead, User
from accounts.policies import Actor

INSTALLATION = "installation"
BEGUN = "audit.begun"
MAX_DATA = 4096
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
# Words for facts that are never written down; a caller that names one has made a mistake.
SECRET = {"secret", "password", "api_key", "token", "code", "cookie", "session_key", "authorization"}


# ---------------------------------------------------------------- writing
def record(
    action: str,
    *,
    user: User | UUID | None = None,
    workspace_id: UUID | None = None,
    target: str = "",
    data: dict[str, Any] | None = None,
    request_ip: str = "",
) -> AuditEntry:
    """Add an entry, in the transaction of the change it is about: both are kept, or neither.

    `action` is `<thing>.<what_happened>`, for example `credential.stored`; identity events begin with `identity.` and
    name no workspace. `target` says in a few words what was changed, `data` holds facts about it (JSON, at most 4 KiB),
    never a secret. `user` is who did it, None for the machine. Without `request_ip`, the address of the current request
    is noted. Raises ValueError for an action or facts that do not fit. Call it after the rows it is about are locked.
    """
    if not ACTION.fullmatch(action):
        raise ValueError(f"not the name of an action: {action!r}")
    person = User.objects.filter(pk=user).first() if isinstance(user, UUID) else user
    by = user.pk if isinstance(user, User) else user
    entry = AuditEntry(
        chain=str(workspace_id or INSTALLATION),
        at=timezone.now(),
        action=action,
        user_id=by,
        who=person.email if person else "",
        workspace_id=workspace_id,
        target=_plain(target)[:200],
        data=_facts(data or {}),
        ip=(request_ip or ip_of(context.request))[:45],
    )
    _append(entry)
    return entry


def note(actor: Actor, action: str, target: str = "", **data: Any) -> None:
    """`record`, for somebody who acts in their workspace."""
    record(action, user=actor.user_id, workspace_id=actor.workspace_id, target=target, data=data)


@transaction.atomic
def _append(entry: AuditEntry) -> None:
    """Take the next place in the chain; the row lock on its head lets one writer at a time do so."""
    head = AuditHead.objects.select_for_update().filter(pk=entry.chain).first() or _begin(entry)
    entry.sequence = head.count + 1
    entry.digest = _digest(head.digest, entry)
    AuditEntry.objects.bulk_create([entry])
    head.count, head.digest = entry.sequence, entry.digest
    head.seal = _seal(head)
    head.save(update_fields=["count", "digest", "seal"])


def _begin(entry: AuditEntry) -> AuditHead:
    """The installation's chain knows of every other, so a chain that is gone altogether is missed."""
    if entry.chain != INSTALLATION:
        _append(AuditEntry(chain=INSTALLATION, at=entry.at, action=BEGUN, target=entry.chain))
    AuditHead.objects.get_or_create(chain=entry.chain)
    return AuditHead.objects.select_for_update().get(pk=entry.chain)


def _facts(data: dict[str, Any]) -> dict[str, Any]:
    """As it will be read back; ids and times become text."""
    if named := SECRET & {name.lower() for name in data}:
        raise ValueError(f"an audit entry holds no secret: {', '.join(sorted(named))}")
    text = json.dumps(data, default=str, allow_nan=False).replace("\\u0000", "")
    if len(text) > MAX_DATA:
        raise ValueError(f"the facts of an audit entry are longer than {MAX_DATA} characters")
    facts: dict[str, Any] = json.loads(text, parse_float=str)  # engines do not keep a float as it was written
    return facts


def _plain(text: str) -> str:
    return text.replace("\x00", "")


def ip_of(request: HttpRequest | None) -> str:
    """Where a request came from, believing the proxies that the operator has named; empty when nobody can tell."""
    try:
        return str(get_adapter().get_client_ip(request) or "") if request is not None else ""
    except PermissionDenied:  # what allauth raises for a request without an address
        return ""


# ---------------------------------------------------------------- reading
def visible_to(actor: Actor) -> QuerySet[AuditEntry]:
    """For administrators: what happened in their workspace, and to the sign-in of those who are in it."""
    if not actor.administers:
        return AuditEntry.objects.none()
    return AuditEntry.objects.of_workspaces([actor.workspace_id])


# ---------------------------------------------------------------- verifying
@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain breaks first: `reason` is edited, removed, added or shortened; a chain that is gone has place 0."""

    chain: str
    sequence: int
    reason: str


def broken() -> list[Broken]:
    """The first fault of each chain that has one, oldest chain first. Reads every entry once."""
    known = {INSTALLATION, *AuditHead.objects.values_list("chain", flat=True)}
    known |= set(AuditEntry.objects.order_by().values_list("chain", flat=True).distinct())
    known |= set(AuditEntry.objects.filter(chain=INSTALLATION, action=BEGUN).values_list("target", flat=True))
    found = [next(_faults(chain), None) for chain in sorted(known)]
    return [fault for fault in found if fault]


def _faults(chain: str) -> Iterator[Broken]:
    head = AuditHead.objects.filter(pk=chain).first() or AuditHead(chain=chain)
    before, place = "", 0
    for entry in AuditEntry.objects.filter(chain=chain).order_by("sequence").iterator(500):
        if entry.sequence != place + 1:
            yield Broken(chain, place + 1, "removed")
        if not hmac.compare_digest(entry.digest, _digest(before, entry)):
            yield Broken(chain, entry.sequence, "edited")
        before, place = entry.digest, entry.sequence
    if head.count > place:
        yield Broken(chain, place + 1, "shortened")
    if head.count < place:
        yield Broken(chain, head.count + 1, "added")
    if not head.count and chain != INSTALLATION:
        yield Broken(chain, 0, "removed")
    if head.count and (head.digest != before or not hmac.compare_digest(head.seal, _seal(head))):
        yield Broken(chain, place, "edited")


def _digest(before: str, entry: AuditEntry) -> str:
    said = [
        before,
        entry.chain,
        entry.sequence,
        entry.at.isoformat(),
        entry.action,
        str(entry.user_id or ""),
        entry.who,
        str(entry.workspace_id or ""),
        entry.target,
        entry.data,
        entry.ip,
    ]
    return _hmac(said)


def _seal(head: AuditHead) -> str:
    return _hmac([head.chain, head.count, head.digest])


def _hmac(said: list[Any]) -> str:
    """Under a key of its own, made from the pepper: the database alone cannot forge a chain."""
    own = hmac.digest(settings.FINGERPRINT_PEPPER.encode(), b"audit chain, version 1", "sha256")
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hmac.new(own, text.encode(), hashlib.sha256).hexdigest()
