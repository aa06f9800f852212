"""What servers that imitate OpenAI say of their models."""

from typing import Any

import msgspec


class Model(msgspec.Struct):
    """`max_model_len` is vLLM's word, `context_length` OpenRouter's, `meta.n_ctx` llama.cpp's."""

    id: str
    created: int | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    meta: dict[str, Any] | None = None

    @property
    def context_window(self) -> int | None:
        told = (self.meta or {}).get("n_ctx") or (self.meta or {}).get("n_ctx_train")
        return self.max_model_len or self.context_length or (told if isinstance(told, int) else None)


class Models(msgspec.Struct):
    data: list[Model] | None = None
