"""The fields of Mistral's model cards that are read."""

import msgspec


class Capabilities(msgspec.Struct):
    completion_chat: bool | None = None
    function_calling: bool | None = None
    reasoning: bool | None = None
    vision: bool | None = None


class Model(msgspec.Struct):
    """One row. `name` is the model that `id`, itself or one of its aliases, stands for; `created` is not read: it is
    when the list was made, not the model."""

    id: str
    type: str | None = None
    name: str | None = None
    archived: bool = False
    aliases: list[str] | None = None
    max_context_length: int | None = None
    deprecation: str | None = None
    deprecation_replacement_model: str | None = None
    capabilities: Capabilities | None = None


class Models(msgspec.Struct):
    data: list[Model]
