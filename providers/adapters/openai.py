"""OpenAI, through the Responses API: what is asked for and how the answer is opened; reading it is elsewhere."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import ClassVar

import msgspec

from providers import wire
from providers.adapters import openai_input, openai_plan, openai_sdk
from providers.adapters.base import Adapter
from providers.adapters.openai_events import ResponsesReader
from providers.contract import Deadlines, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.events import StreamEvent

BASE_URL = "https://api.openai.com/v1"
# The last event repeats the whole answer, the instructions and the tools.
LINE_LIMIT = 8 * 1024 * 1024

# The list names everything that can be called. What has one of these words in its id does not chat.
_OTHER_TRADES = (
    "audio",
    "babbage",
    "computer-use",
    "dall-e",
    "davinci",
    "deep-research",
    "embedding",
    "image",
    "instruct",
    "moderation",
    "realtime",
    "search",
    "sora",
    "transcribe",
    "translate",
    "tts",
    "whisper",
)


class _Model(msgspec.Struct):
    id: str
    created: int | None = None
    shutdown_date: str | int | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


_MODELS = msgspec.json.Decoder(_Models)


class OpenAI(Adapter):
    provider_id = "openai"
    failures = openai_sdk.FAILURES
    rehearsal: ClassVar[bytes] = (
        b'data: {"type":"response.output_text.delta","output_index":0,"delta":"ready"}\n\n'
        b'data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}\n\n'
    )

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        origin = credential.origin(request.model_id)
        body = openai_input.body(request, origin)
        if openai_plan.answers(credential):
            body = openai_plan.allowed(body)
        sdk = openai_sdk.client(credential, credential.base_url or BASE_URL, request.deadlines)
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(openai_sdk.posted(sdk, "/responses", body))
            except openai_sdk.BadRequestError as error:
                # An organisation that is not verified may use the model, but asking for its reasoning is a 400.
                if error.param != "reasoning.summary":
                    raise
                body = openai_input.without_summary(body)
                response = await stack.enter_async_context(openai_sdk.posted(sdk, "/responses", body))
            reader = ResponsesReader(origin, response.headers.get("x-request-id"))
            async for event in wire.events(response.aiter_bytes(), reader, limit=LINE_LIMIT):
                yield event

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        sdk = openai_sdk.client(credential, credential.base_url or BASE_URL, Deadlines())
        told = await openai_sdk.listed(sdk)
        if openai_plan.answers(credential):
            return openai_plan.listed(told)
        rows = wire.decode(told, _MODELS).data
        return [
            ModelInfo(row.id, created_at=wire.moment(row.created), retires_at=wire.moment(row.shutdown_date))
            for row in rows
            if not any(trade in row.id for trade in _OTHER_TRADES)
        ]

    def classify(self, error: BaseException) -> ProviderError | None:
        return openai_sdk.classify(error, self.provider_id)

    def may_not_list(self, error: ProviderError) -> bool:
        """A restricted key may answer and yet not list."""
        return error.code is ErrorCode.PERMISSION_DENIED
