"""What Mistral means by its endings and its errors, on the wire that it shares with others."""

from collections.abc import Iterable
from typing import Any, ClassVar

from providers.adapters import mistral_faults
from providers.adapters.base import failed
from providers.adapters.chat_events import ChunkReader
from providers.errors import ErrorCode, ProviderError
from providers.events import FinishReason, StreamEvent


class MistralReader(ChunkReader):
    reasons: ClassVar = {
        "stop": FinishReason.STOP,
        "length": FinishReason.LENGTH,
        "model_length": FinishReason.CONTEXT_FULL,
        "tool_calls": FinishReason.TOOL_CALLS,
    }

    def fault(self, told: dict[str, Any], *, stray: bool) -> ProviderError | None:
        if not mistral_faults.described(told):
            return None
        return mistral_faults.failure(self._origin.provider_id, told, request_id=self._request_id)

    def _finish(self) -> Iterable[StreamEvent]:
        if self._native != "error":
            return super()._finish()
        unavailable = ErrorCode.PROVIDER_UNAVAILABLE
        raise failed(self._origin.provider_id, unavailable, detail="finish_error", request_id=self._request_id)
