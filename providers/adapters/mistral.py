"""Mistral, through Chat Completions: what is asked for and which models there are; reading the answer is elsewhere."""

from collections.abc import AsyncGenerator, Iterable
from typing import ClassVar

import msgspec

from providers import wire
from providers.adapters import mistral_faults, mistral_input, mistral_sdk
from providers.adapters import mistral_shapes as shapes
from providers.adapters.base import Adapter
from providers.adapters.mistral_events import MistralReader
from providers.contract import GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ProviderError
from providers.events import StreamEvent

_MODELS = msgspec.json.Decoder(shapes.Models)


class Mistral(Adapter):
    provider_id = "mistral"
    failures = mistral_sdk.FAILURES
    rehearsal: ClassVar[bytes] = (
        b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"ready"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        origin = credential.origin(request.model_id)
        body = mistral_input.body(request, origin)
        async with mistral_sdk.posted(credential, request.deadlines, body) as response:
            told_id = mistral_faults.request_id(response.headers)
            reader = MistralReader(origin, told_id)
            async for event in wire.events(response.aiter_bytes(), reader):
                yield event

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        rows = wire.decode(await mistral_sdk.listed(credential), _MODELS).data
        return [_info(row) for row in _distinct(rows)]

    def classify(self, error: BaseException) -> ProviderError | None:
        return mistral_sdk.classify(error, self.provider_id)


def _distinct(rows: Iterable[shapes.Model]) -> list[shapes.Model]:
    """What chats, each model once: the list has a row for each of a model's aliases."""
    chosen: dict[str, shapes.Model] = {}
    for row in rows:
        if row.archived or not (row.capabilities and row.capabilities.completion_chat):
            continue
        # A fine-tuned model may carry the name of the one it was made from.
        name = row.id if row.type == "fine-tuned" else row.name or min((row.id, *(row.aliases or ())))
        chosen[name] = min(chosen.get(name, row), row, key=_rank)
    return list(chosen.values())


def _rank(row: shapes.Model) -> tuple[bool, bool, int, str]:
    """Sorts the best known of a model's ids first: the moving one that people write, then its own name."""
    return not row.id.endswith("-latest"), row.id != row.name, len(row.id), row.id


def _info(row: shapes.Model) -> ModelInfo:
    can = row.capabilities or shapes.Capabilities()
    return ModelInfo(
        row.id,
        context_window=row.max_context_length,
        supports_tools=can.function_calling,
        supports_vision=can.vision,
        supports_reasoning=can.reasoning,
        retires_at=wire.moment(row.deprecation),
        successor=row.deprecation_replacement_model,
    )
