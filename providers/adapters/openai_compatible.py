"""Any server that speaks Chat Completions at a base URL: Ollama, vLLM, llama.cpp, LM Studio, another gateway."""

from collections.abc import AsyncGenerator
from typing import ClassVar

import msgspec

from providers import wire
from providers.adapters import compatible_input, openai_sdk
from providers.adapters.base import Adapter
from providers.adapters.compatible_events import ChatReader
from providers.adapters.compatible_shapes import Models
from providers.contract import Deadlines, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.events import StreamEvent

_MODELS = msgspec.json.Decoder(Models)
_OTHER_TRADES = ("embed", "rerank", "whisper", "tts", "dall-e", "moderation")


class OpenAICompatible(Adapter):
    provider_id = "openai_compatible"
    failures = openai_sdk.FAILURES
    rehearsal: ClassVar[bytes] = (
        b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"ready"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        origin = credential.origin(request.model_id)
        body = compatible_input.body(request, origin)
        sdk = openai_sdk.client(credential, self._base_url(credential), request.deadlines)
        async with openai_sdk.posted(sdk, "/chat/completions", body) as response:
            reader = ChatReader(origin, response.headers.get("x-request-id"))
            async for event in wire.events(response.aiter_bytes(), reader):
                yield event

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        sdk = openai_sdk.client(credential, self._base_url(credential), Deadlines())
        rows = wire.decode(await openai_sdk.listed(sdk), _MODELS).data or []
        return [
            ModelInfo(
                row.id,
                context_window=row.context_window,
                created_at=wire.moment(row.created),
            )
            for row in rows
            if not any(trade in row.id.lower() for trade in _OTHER_TRADES)
        ]

    def classify(self, error: BaseException) -> ProviderError | None:
        return openai_sdk.classify(error, self.provider_id)

    def _base_url(self, credential: OpenCredential) -> str:
        """Without one the SDK would go to OpenAI, with a key that is not OpenAI's."""
        if credential.base_url:
            return credential.base_url
        raise ProviderError(
            ErrorCode.INVALID_REQUEST,
            "This provider has no address yet.",
            provider_id=self.provider_id,
            detail="no_base_url",
        )
