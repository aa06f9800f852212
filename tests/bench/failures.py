"""Fifteen ways to fail, at every vendor, through the real SDKs over HTTP: each has to be called by its name."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from providers import http, registry
from providers.contract import Deadlines, GenerateRequest, Message, OpenCredential, TextPart
from providers.errors import REMEDIES, ErrorCode, ProviderError
from providers.secrets import Secret
from providers.sources import SANDBOX_PATHS
from tests.sandbox import server

MODELS = {
    "openai": "gpt-sandbox",
    "anthropic": "claude-sandbox-haiku",
    "gemini": "gemini-sandbox-flash",
    "mistral": "mistral-sandbox-large",
    "openai_compatible": "compatible-sandbox",
}
# What counts for the bar; servers that speak like OpenAI come on top.
VENDORS = ("openai", "anthropic", "gemini", "mistral")
PATIENT = Deadlines(first_event=30, idle=30)


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call is made to fail, and what it must be called. `partial` says whether words came before it."""

    code: ErrorCode
    fault: str = ""
    key: str = "sandbox-key-0123456789"
    kind: str = "api_key"
    model: str = ""
    details: frozenset[str | None] = field(default_factory=lambda: frozenset({None}))
    partial: bool = False
    retry_after: float | None = None
    deadlines: Deadlines = PATIENT
    reachable: bool = True


def _broken(fault: str, detail: str, **over: object) -> Failure:
    code = ErrorCode.TIMEOUT if detail == "idle" else ErrorCode.PROVIDER_UNAVAILABLE
    return Failure(code, f"{fault} after 3", details=frozenset({detail}), partial=True, **over)  # type: ignore[arg-type]


FAILURES = {
    "bad key": Failure(ErrorCode.INVALID_AUTH, key="sandbox-revoked-0123456789"),
    "expired session": Failure(ErrorCode.SESSION_EXPIRED, key="sandbox-expired-0123456789", kind="session"),
    "rate limit": Failure(ErrorCode.RATE_LIMITED, "rate_limit", retry_after=7.0),
    "quota": Failure(ErrorCode.QUOTA_EXCEEDED, key="sandbox-noquota-0123456789"),
    "too long": Failure(ErrorCode.CONTEXT_TOO_LONG, "too_long"),
    "not found": Failure(ErrorCode.MODEL_NOT_FOUND, model="no-such-model"),
    "blocked": Failure(ErrorCode.CONTENT_BLOCKED, "blocked", details=frozenset({None, "prohibited_content"})),
    "server error": Failure(ErrorCode.PROVIDER_UNAVAILABLE, "server_error"),
    "no connection": Failure(ErrorCode.PROVIDER_UNAVAILABLE, details=frozenset({"connect_failed"}), reachable=False),
    "hang before": Failure(
        ErrorCode.TIMEOUT, "hang", details=frozenset({"first_event"}), deadlines=replace(PATIENT, first_event=1)
    ),
    "hang within": _broken("hang_stream", "idle", deadlines=replace(PATIENT, idle=1)),
    "cut": _broken("truncate", "stream_truncated"),
    "error within": Failure(
        ErrorCode.PROVIDER_UNAVAILABLE, "stream_error after 3", details=frozenset({None, "overloaded"}), partial=True
    ),
    "garbage": _broken("garbage", "bad_payload"),
    "oversized": _broken("oversized", "bad_payload"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`told` is what the call was called; `wrong` why that is not good enough, empty when it is."""

    failure: str
    provider_id: str
    told: str
    wrong: str


def nobody() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


async def judged(name: str, provider_id: str, base: str) -> Verdict:
    failure = FAILURES[name]
    address = (base if failure.reachable else nobody()) + SANDBOX_PATHS[provider_id]
    credential = OpenCredential(
        provider_id,
        "bench",
        Secret(failure.key),
        kind=failure.kind,  # type: ignore[arg-type]
        base_url=address,
    )
    words = f"hello /tokens 9 /fault {failure.fault}" if failure.fault else "hello"
    messages = (Message("user", (TextPart(text=words),)),)
    request = GenerateRequest(failure.model or MODELS[provider_id], messages, deadlines=failure.deadlines)
    try:
        end = await registry.runtime(provider_id).generate(credential, request)
    except ProviderError as error:
        return Verdict(name, provider_id, f"{error.code}/{error.detail or '-'}", _wrong(failure, error))
    # A filter may also end an answer that began well; that is no failure of the call.
    blocked = failure.code is ErrorCode.CONTENT_BLOCKED and end.reason.value == "content_blocked"
    return Verdict(name, provider_id, f"finished/{end.reason}", "" if blocked else "called a success")


def _wrong(failure: Failure, error: ProviderError) -> str:
    if error.code is not failure.code:
        return f"not {failure.code}: {error.message}"
    facts = {
        "detail": error.detail in failure.details,
        "partial": error.partial == failure.partial,
        "retry_after": error.retry_after == failure.retry_after,
        "key in message": failure.key not in str(error),
        "remedy": error.code in REMEDIES,
    }
    return ", ".join(name for name, good in facts.items() if not good)


async def run(base: str) -> list[Verdict]:
    """Every failure at every provider, all at once."""
    try:
        calls = (judged(name, provider_id, base) for name in FAILURES for provider_id in SANDBOX_PATHS)
        return await asyncio.gather(*calls)
    finally:
        await http.close()


def total(found: Sequence[Verdict]) -> tuple[int, int]:
    """Classified and all, of the four vendors."""
    vendors = [verdict for verdict in found if verdict.provider_id in VENDORS]
    return sum(not verdict.wrong for verdict in vendors), len(vendors)


def table(found: Sequence[Verdict]) -> str:
    told = {(verdict.failure, verdict.provider_id): verdict for verdict in found}
    lines = [f"{'failure':17}" + "".join(f"{name:>39}" for name in SANDBOX_PATHS)]
    for name in FAILURES:
        row = (told[name, provider_id] for provider_id in SANDBOX_PATHS)
        lines.append(f"{name:17}" + "".join(f"{one.told + (' WRONG' if one.wrong else ''):>39}" for one in row))
    lines += [f"{one.failure}, {one.provider_id}: {one.wrong}" for one in found if one.wrong]
    good, count = total(found)
    return "\n".join([*lines, "", f"{good} of {count} classified at the four vendors"])


def main(arguments: Sequence[str] = ()) -> int:
    found = asyncio.run(run(server.shared().url))
    print(table(found))
    return int(any(verdict.wrong for verdict in found) or total(found) != (60, 60))
