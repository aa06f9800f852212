"""Acme's own wire: one JSON object a line, `{"say": "…"}` and at last `{"end": "done"}`."""

from collections.abc import AsyncGenerator

import httpx2
import msgspec

from providers import http
from providers.adapters.base import Adapter, failed
from providers.contract import GenerateRequest, Message, ModelInfo, OpenCredential, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, FinishReason, PartDone, Started, StreamEvent, TextDelta


class Line(msgspec.Struct):
    say: str = ""
    end: str = ""


class Acme(Adapter):
    provider_id = "acme"
    failures = (httpx2.HTTPStatusError,)

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        said: list[str] = []
        words = [part.text for message in request.messages for part in message.parts if isinstance(part, TextPart)]
        body = {"model": request.model_id, "words": words}
        async with http.client().stream(
            "POST", f"{credential.base_url}/say", json=body, headers=_head(credential)
        ) as answer:
            answer.raise_for_status()
            yield Started(model=request.model_id)
            async for text in answer.aiter_lines():
                line = msgspec.json.decode(text, type=Line)
                if line.say:
                    said.append(line.say)
                    yield TextDelta(0, line.say)
                if line.end:
                    part = TextPart(text="".join(said), origin=credential.origin(request.model_id))
                    yield PartDone(part)
                    yield Finished(FinishReason.STOP, Message("assistant", (part,)), native_reason=line.end)

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        answer = await http.client().get(f"{credential.base_url}/models", headers=_head(credential))
        answer.raise_for_status()
        return [ModelInfo(name, context_window=window) for name, window in answer.json().items()]

    def classify(self, error: BaseException) -> ProviderError | None:
        if not isinstance(error, httpx2.HTTPStatusError):
            return None
        status = error.response.status_code
        code = ErrorCode.INVALID_AUTH if status == httpx2.codes.UNAUTHORIZED else ErrorCode.PROVIDER_UNAVAILABLE
        return failed(self.provider_id, code, status=status)


def _head(credential: OpenCredential) -> dict[str, str]:
    return {"x-acme-key": credential.secret.reveal()}
