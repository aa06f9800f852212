"""What all adapters share: the pump round their stream, `generate` as its drain, and errors that never leave raw."""

import abc
import asyncio
import functools
import time
from collections.abc import AsyncGenerator
from typing import ClassVar

import httpx2

from providers import faults, wire
from providers.contract import CredentialCheck, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, StreamEvent
from providers.pump import last, pumped

LIST_SECONDS = 20.0
_REFUSED = frozenset({ErrorCode.INVALID_AUTH, ErrorCode.SESSION_EXPIRED})
_FAILURES = (ProviderError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError)


class Adapter(abc.ABC):
    """One provider over its SDK. A subclass gives the raw stream, the raw list, and its vendor's errors.

    `rehearsal` is the smallest complete answer on this wire: start-up plays it once, so that the first person does
    not wait for lazy imports. `failures` are the exceptions of the SDK.
    """

    provider_id: ClassVar[str]
    rehearsal: ClassVar[bytes]
    failures: ClassVar[tuple[type[Exception], ...]] = ()

    @abc.abstractmethod
    def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        """The vendor's stream, with no deadline and no care for its errors."""

    @abc.abstractmethod
    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        """The chat models that the key can list, by an unbilled call."""

    @abc.abstractmethod
    def classify(self, error: BaseException) -> ProviderError | None:
        """The vendor's own exceptions; None for all others."""

    def stream_generate(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        return pumped(
            lambda: self.native(credential, request),
            request.deadlines,
            self.provider_id,
            functools.partial(self._safely, credential),
        )

    async def generate(self, credential: OpenCredential, request: GenerateRequest) -> Finished:
        return await last(self.stream_generate(credential, request))

    async def list_models(self, credential: OpenCredential) -> list[ModelInfo]:
        foreseen: tuple[type[Exception], ...] = (*self.failures, *_FAILURES)
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self.models(credential)
        except foreseen as error:
            raise self._safely(credential, error) from None

    async def validate_credential(self, credential: OpenCredential) -> CredentialCheck:
        """Lists models: free everywhere. A key that may answer but not list is good, with an unknown count."""
        begun = time.monotonic()
        count, failure = None, None
        try:
            count = len(await self.list_models(credential))
        except ProviderError as error:
            failure = None if self.may_not_list(error) else error
        took = round((time.monotonic() - begun) * 1000)
        return CredentialCheck(ok=failure is None, latency_ms=took, error=failure, model_count=count)

    def may_not_list(self, error: ProviderError) -> bool:
        return False

    def normalize_error(self, error: BaseException, *, partial: bool = False) -> ProviderError:
        known = error if isinstance(error, ProviderError) else self.classify(error)
        if known is None:
            return faults.local(error, provider_id=self.provider_id, partial=partial)
        known.partial = known.partial or partial
        return known

    def _safely(self, credential: OpenCredential, error: BaseException, *, partial: bool = False) -> ProviderError:
        known = self.normalize_error(error, partial=partial)
        if known.code in _REFUSED and known.detail != wire.UNUSABLE_KEY:
            # Nobody can renew a key: it has to be replaced. A session that is refused has to be renewed.
            known.code = ErrorCode.INVALID_AUTH if credential.kind == "api_key" else ErrorCode.SESSION_EXPIRED
            known.message = faults.WORDS[known.code]
        return faults.without_secret(known, credential.secret)


def failed(provider_id: str, code: ErrorCode, words: object = None, **facts: str | float | None) -> ProviderError:
    """A `ProviderError` whose message is what may be shown of the vendor's `words`."""
    return ProviderError(code, faults.shown(code, words), provider_id=provider_id, **facts)  # type: ignore[arg-type]
