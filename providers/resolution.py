"""Which credential a request goes out with: a pure decision over descriptors that hold no secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from providers.auth_mode import Mode, Session, choose
from providers.errors import ErrorCode

type Source = Literal["own", "workspace", "environment", "sandbox"]

# Whose credential is asked first; one that the request itself names stands before all of them.
ORDER: tuple[Source, ...] = ("own", "workspace", "environment", "sandbox")
# The sources that every resolution reports on, present or not.
REPORTED: tuple[Source, ...] = ("own", "workspace", "environment")
# What an owner has to put right; one who merely has nothing that fits is passed over.
STOPS = frozenset({ErrorCode.SESSION_EXPIRED, ErrorCode.INVALID_AUTH})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A credential without its secret. `ref` is `credential:<uuid>`, `environment:<provider>`,
    `environment_session:<provider>` or `sandbox:<provider>`; `state` the result of its last check, of a session also
    `expired` or `malformed`; `sandbox` says that it reaches the sandbox and no vendor.

    `mode` is what its owner prefers for this provider, `fallback_allowed` whether a key may then stand in for a
    session. Of a session, `method` is how it came about, `account` whose it is at the vendor and `expires_at` its end
    in unix seconds, None for an unknown one. `checked_at` is when it was last checked, None where nobody keeps that on
    the credential itself. `barred` says why it must not be used whatever its owner prefers, empty
    where it may: then it is as one that is not there, and that is its verdict.
    """

    ref: str
    provider_id: str
    source: Source
    kind: Mode
    state: str
    hint: str
    sandbox: bool = False
    mode: Mode = "api_key"
    fallback_allowed: bool = False
    method: str = ""
    account: str = ""
    expires_at: float | None = None
    barred: str = ""
    checked_at: datetime | None = None

    @property
    def standing(self) -> Session:
        """Of a session, how the table sees it."""
        return self.state if self.state in {"expired", "malformed"} else "active"  # type: ignore[return-value]

    @property
    def text(self) -> str:
        """How a page names it."""
        thing = "session" if self.kind == "session" else "key"
        match self.source:
            case "own":
                ending = self.account or (self.hint[self.hint.rfind("…") :] if "…" in self.hint else "")
                return f"Your {thing} {ending}".strip()
            case "workspace":
                return f"Workspace {thing}"
            case "environment":
                return f"Installation {thing}"
            case "sandbox":
                return "Sandbox"


@dataclass(frozen=True, slots=True)
class Reference:
    """A credential that a request names. It counts for the provider that it belongs to."""

    ref: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """`trace` names every candidate in order with its verdict; it is stored on runs, so it holds no secret.

    `reason` says why a key stands in for a session, empty otherwise; `backup` is the key that may stand in later,
    should the chosen session fail; `blocked` the session that its owner has to put right, when that is the error.
    """

    chosen: Descriptor | None
    error: ErrorCode | None
    trace: tuple[dict[str, Any], ...]
    reason: str = ""
    backup: Descriptor | None = None
    blocked: Descriptor | None = None


def resolve(
    provider_id: str,
    candidates: Sequence[Descriptor],
    *,
    sandbox_model: bool,
    reference: Reference | None = None,
    knows_sessions: bool = True,
) -> Resolution:
    """The credential that the request names, or nothing; without one own > workspace > environment > sandbox, and
    within each owner what `auth_mode` says.

    A key whose last check was refused is used all the same: skipping it would send the request out with somebody
    else's key, unasked. So does a session stop everything that its owner has to put right. A sandbox model is answered
    by sandbox credentials only, a real one by real ones only.

    Verdicts: `used`, `not_needed` (an earlier one was used), `wrong_kind` (the other side of the sandbox line),
    `not_preferred` (the owner prefers the other kind), `expired`, `malformed`, `not_reached` (an earlier owner's
    session has to be put right first), `not_named` (the request names another one), `absent` (nobody stored one there),
    `not_allowed` (the operator does not allow its kind), `not_relayed` (never through the OpenAI-compatible API).
    """
    mine = [candidate for candidate in candidates if candidate.provider_id == provider_id]
    found = _Search(sandbox_model, knows_sessions)
    if reference is not None and reference.provider_id == provider_id:
        found.named(reference, mine)
    for source in ORDER:
        found.owner(source, [candidate for candidate in mine if candidate.source == source])
    error = None if found.chosen else found.error or ErrorCode.MISSING_AUTH
    return Resolution(found.chosen, error, tuple(found.trace), found.reason, found.backup, found.blocked)


@dataclass(slots=True)
class _Search:
    """The walk from owner to owner; `over` is the verdict of whoever comes too late, empty while nobody does."""

    sandbox_model: bool
    knows_sessions: bool
    over: str = ""
    chosen: Descriptor | None = None
    error: ErrorCode | None = None
    reason: str = ""
    backup: Descriptor | None = None
    blocked: Descriptor | None = None
    trace: list[dict[str, Any]] = field(default_factory=list)

    def named(self, reference: Reference, mine: Sequence[Descriptor]) -> None:
        """The named one is used whatever its owner prefers; no other one takes its place."""
        one = next((each for each in mine if each.ref == reference.ref), None)
        if one is None:
            self.trace.append({"source": "request", "ref": reference.ref, "verdict": "absent"})
        else:
            fits = [one] if one.sandbox == self.sandbox_model and not one.barred else []
            verdict = self._decide(fits, one.kind, fallback_allowed=False).get(one.ref, one.barred or "wrong_kind")
            self.trace.append({**_line(one, verdict), "source": "request", "of": one.source})
        self.over = "not_named"

    def owner(self, source: Source, found: Sequence[Descriptor]) -> None:
        if not found and source in REPORTED:
            self.trace.append({"source": source, "verdict": "absent"})
        fits = [each for each in found if each.sandbox == self.sandbox_model and not each.barred]
        over = self.over
        verdicts: dict[str, str] = {}
        if fits and not over:
            verdicts = self._decide(fits, fits[0].mode, fallback_allowed=fits[0].fallback_allowed)
        for each in found:
            line = _line(each, verdicts.get(each.ref) or (over if each in fits else each.barred or "wrong_kind"))
            if each is self.chosen and self.reason:
                line |= {"fallback_applied": True, "reason": self.reason}
            self.trace.append(line)

    def _decide(self, fits: Sequence[Descriptor], mode: Mode, *, fallback_allowed: bool) -> dict[str, str]:
        """Ask the table for one owner; the verdicts on their credentials, by reference."""
        session = next((each for each in fits if each.kind == "session"), None)
        key = next((each for each in fits if each.kind == "api_key"), None)
        standing: Session = session.standing if session else "absent"
        if not self.knows_sessions:
            standing = "unsupported"
        choice = choose(mode, standing, key=key is not None, fallback_allowed=fallback_allowed)
        if choice.kind is not None:
            self.chosen = session if choice.kind == "session" else key
            self.backup = key if choice.kind == "session" and fallback_allowed else None
            self.reason, self.over = choice.reason, "not_needed"
        elif choice.error in STOPS:
            self.error, self.over, self.blocked = choice.error, "not_reached", session
        return {each.ref: self._verdict(each, mode) for each in fits}

    def _verdict(self, each: Descriptor, mode: Mode) -> str:
        if each is self.chosen:
            return "used"
        if each.kind == "session" and mode == "session" and each.standing != "active":
            return each.standing
        return "not_preferred" if each.kind != mode else "not_needed"


def _line(candidate: Descriptor, verdict: str) -> dict[str, Any]:
    line = {
        "source": candidate.source,
        "ref": candidate.ref,
        "hint": candidate.hint,
        "kind": candidate.kind,
        "state": candidate.state,
        "verdict": verdict,
    }
    return line | ({"account": candidate.account} if candidate.account else {})
