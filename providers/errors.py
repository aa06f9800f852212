"""The closed taxonomy of what can go wrong with a provider, and the words and remedy for each code."""

import enum
from dataclasses import dataclass

from providers.redaction import identifier, scrub


class ErrorCode(enum.StrEnum):
    """The public vocabulary of failures: API, pages, console, logs and stored runs use these words only."""

    MISSING_AUTH = "missing_auth"
    INVALID_AUTH = "invalid_auth"
    SESSION_EXPIRED = "session_expired"
    PERMISSION_DENIED = "permission_denied"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_BLOCKED = "content_blocked"
    MODEL_NOT_FOUND = "model_not_found"
    INVALID_REQUEST = "invalid_request"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    TIMEOUT = "timeout"
    POLICY_DENIED = "policy_denied"
    INTERRUPTED = "interrupted"


RETRYABLE = frozenset(
    {ErrorCode.RATE_LIMITED, ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.INTERRUPTED}
)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Words for a person: `title` and `sentence` may name {provider} and {model}; `action` is a key that pages
    turn into a link and API clients into whatever they offer."""

    title: str
    sentence: str
    label: str
    action: str


REMEDIES: dict[ErrorCode, Remedy] = {
    ErrorCode.MISSING_AUTH: Remedy(
        "No key for {provider} yet",
        "Your message is kept. Add a key, or use a model that is connected.",
        "Add a {provider} key",
        "add_key",
    ),
    ErrorCode.INVALID_AUTH: Remedy(
        "{provider} refused this key",
        "Your message is kept. The key may have been revoked or mistyped.",
        "Replace the key",
        "replace_key",
    ),
    ErrorCode.SESSION_EXPIRED: Remedy(
        "Your {provider} session has expired",
        "The message was not sent and is kept here.",
        "Sign in to {provider}",
        "renew_session",
    ),
    ErrorCode.PERMISSION_DENIED: Remedy(
        "{provider} does not allow this",
        "The key works, but not for this model or account. Your message is kept.",
        "Choose another model",
        "choose_model",
    ),
    ErrorCode.RATE_LIMITED: Remedy(
        "{provider} is limiting requests",
        "It accepts requests again shortly. Your message is kept.",
        "Try again",
        "retry",
    ),
    ErrorCode.QUOTA_EXCEEDED: Remedy(
        "The {provider} quota is used up",
        "The account behind this key has no credit or quota left. Your message is kept.",
        "Choose another model",
        "choose_model",
    ),
    ErrorCode.CONTEXT_TOO_LONG: Remedy(
        "The conversation is too long for {model}",
        "It holds more than the model can read at once. Your message is kept.",
        "Use a longer model",
        "choose_model",
    ),
    ErrorCode.CONTENT_BLOCKED: Remedy(
        "{provider} declined to answer",
        "The provider's filter stopped the request.",
        "Edit the message",
        "edit_message",
    ),
    ErrorCode.MODEL_NOT_FOUND: Remedy(
        "{provider} does not know {model}",
        "The model may have been withdrawn, or this key cannot use it. Your message is kept.",
        "Choose another model",
        "choose_model",
    ),
    ErrorCode.INVALID_REQUEST: Remedy(
        "{provider} could not read the request",
        "This model does not take what was sent. Your message is kept.",
        "Choose another model",
        "choose_model",
    ),
    ErrorCode.PROVIDER_UNAVAILABLE: Remedy(
        "{provider} is not responding",
        "Your message is kept, and so is what arrived of the answer. Other providers are not affected.",
        "Try again",
        "retry",
    ),
    ErrorCode.TIMEOUT: Remedy(
        "{provider} took too long",
        "Your message is kept, and so is what arrived of the answer.",
        "Try again",
        "retry",
    ),
    ErrorCode.POLICY_DENIED: Remedy(
        "This model is blocked here",
        "An administrator turned it off for this workspace.",
        "Choose another model",
        "choose_model",
    ),
    ErrorCode.INTERRUPTED: Remedy(
        "The answer was cut off",
        "The process that was writing it ended. What arrived is kept.",
        "Continue the answer",
        "continue",
    ),
}


class ProviderError(Exception):
    """A failed call, already classified.

    `message` is safe to show: scrubbed, at most 500 characters, never a vendor's own text for auth errors.
    `retry_after` is in seconds; `partial` says that content had arrived; `detail` is a short sub-code such as
    `stream_truncated` or `connect_failed`.
    """

    def __init__(  # noqa: PLR0913 - the facts of a failure, all by keyword
        self,
        code: ErrorCode,
        message: str,
        *,
        provider_id: str,
        status: int | None = None,
        detail: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        partial: bool = False,
    ) -> None:
        self.message = scrub(message)[:500]
        super().__init__(self.message)
        self.code = code
        self.provider_id = provider_id
        self.status = status
        self.detail = detail
        self.request_id = identifier(request_id)
        self.retry_after = retry_after
        self.partial = partial

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later; nothing is retried once content was shown."""
        return self.code in RETRYABLE
