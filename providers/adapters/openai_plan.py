"""What differs where a person's ChatGPT plan answers: fields that must not be sent, and a model list of its own."""

from typing import Any

import msgspec

from providers import wire
from providers.contract import ModelInfo, OpenCredential

METHOD = "openai_chatgpt"
# The vendor refuses requests with any of these.
FORBIDDEN = frozenset(
    {
        "background",
        "conversation",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "moderation",
        "previous_response_id",
        "prompt",
        "safety_identifier",
        "temperature",
        "top_p",
        "truncation",
        "user",
    }
)


class _Model(msgspec.Struct):
    slug: str
    display_name: str | None = None
    visibility: str = "list"


class _Models(msgspec.Struct):
    models: list[_Model]


_MODELS = msgspec.json.Decoder(_Models)


def answers(credential: OpenCredential) -> bool:
    return credential.method == METHOD


def allowed(body: dict[str, Any]) -> dict[str, Any]:
    """The request without what a plan must not be sent."""
    return {name: value for name, value in body.items() if name not in FORBIDDEN}


def listed(data: bytes) -> list[ModelInfo]:
    """The models that the vendor shows to people."""
    rows = wire.decode(data, _MODELS).models
    return [ModelInfo(row.slug, label=row.display_name) for row in rows if row.visibility == "list"]
