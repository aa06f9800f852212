"""Which credential a request goes out with: a pure decision over descriptors that hold no secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from providers.errors import ErrorCode

type Source = Literal["request", "own", "workspace", "environment", "sandbox"]

# Who is asked first; see `resolve`.
ORDER: tuple[Source, ...] = ("request", "own", "workspace", "environment", "sandbox")
# The sources that every resolution reports on, present or not.
REPORTED: tuple[Source, ...] = ("own", "workspace", "environment")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A credential without its secret. `ref` is `credential:<uuid>`, `environment:<provider>` or `sandbox:<provider>`;
    `state` the result of its last check; `sandbox` says that it reaches the sandbox and no vendor."""

    ref: str
    provider_id: str
    source: Source
    kind: str
    state: str
    hint: str
    sandbox: bool = False

    @property
    def text(self) -> str:
        """How a page names it."""
        match self.source:
            case "own" | "request":
                return f"Your key {self.hint[self.hint.rfind('…') :] if '…' in self.hint else ''}".strip()
            case "workspace":
                return "Workspace key"
            case "environment":
                return "Installation key"
            case "sandbox":
                return "Sandbox"


@dataclass(frozen=True, slots=True)
class Resolution:
    """`trace` names every candidate in order with its verdict; it is stored on runs, so it holds no secret."""

    chosen: Descriptor | None
    error: ErrorCode | None
    trace: tuple[dict[str, Any], ...]


def resolve(provider_id: str, candidates: Sequence[Descriptor], *, sandbox_model: bool) -> Resolution:
    """The first fitting candidate: request > own > workspace > environment > sandbox; API keys only for now.

    A key whose last check was refused is used all the same: skipping it would send the request out with somebody
    else's key, unasked. A sandbox model is answered by sandbox credentials only, a real one by real ones only.

    Verdicts: `used`, `not_needed` (an earlier one was used), `wrong_kind` (a session, or the other side of the sandbox
    line), `absent` (nobody stored one there).
    """
    mine = [candidate for candidate in candidates if candidate.provider_id == provider_id]
    chosen: Descriptor | None = None
    trace: list[dict[str, Any]] = []
    for source in ORDER:
        found = [candidate for candidate in mine if candidate.source == source]
        if not found and source in REPORTED:
            trace.append({"source": source, "verdict": "absent"})
        for candidate in found:
            fits = candidate.kind == "api_key" and candidate.sandbox == sandbox_model
            verdict = "wrong_kind" if not fits else "not_needed" if chosen else "used"
            chosen = candidate if verdict == "used" else chosen
            trace.append(_line(candidate, verdict))
    return Resolution(chosen, None if chosen else ErrorCode.MISSING_AUTH, tuple(trace))


def _line(candidate: Descriptor, verdict: str) -> dict[str, Any]:
    return {
        "source": candidate.source,
        "ref": candidate.ref,
        "hint": candidate.hint,
        "kind": candidate.kind,
        "state": candidate.state,
        "verdict": verdict,
    }
