"""What servers that imitate OpenAI's Chat Completions mean by their endings and their errors."""

from typing import Any, ClassVar

from providers.adapters import openai_faults
from providers.adapters.chat_events import ChunkReader
from providers.errors import ProviderError
from providers.events import FinishReason


class ChatReader(ChunkReader):
    reasons: ClassVar = {
        "stop": FinishReason.STOP,
        "length": FinishReason.LENGTH,
        "tool_calls": FinishReason.TOOL_CALLS,
        "function_call": FinishReason.TOOL_CALLS,
        "content_filter": FinishReason.CONTENT_BLOCKED,
    }

    def fault(self, told: dict[str, Any], *, stray: bool) -> ProviderError | None:
        error = told.get("error") or (told if stray else None)
        if not error:
            return None
        return openai_faults.failure(self._origin.provider_id, error, request_id=self._request_id)
