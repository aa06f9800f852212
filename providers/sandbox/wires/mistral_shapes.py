"""The fields that Mistral knows, and what it takes as an image or a document; one more is an error, as there."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from providers.sandbox.asks import JSON, Attachment
from providers.sandbox.wires.mistral_errors import invalid, refuse

TOP = frozenset(
    {
        "frequency_penalty",
        "guardrails",
        "logprobs",
        "max_tokens",
        "messages",
        "metadata",
        "min_tokens",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_logprobs",
        "prompt_mode",
        "random_seed",
        "reasoning_effort",
        "repetition_penalty",
        "response_format",
        "safe_prompt",
        "service_tier",
        "stop",
        "stream",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
        "top_prompt_logprobs",
    }
)
MESSAGES = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}
FUNCTION = frozenset({"name", "description", "parameters", "strict"})


def known(value: Any, fields: frozenset[str], *place: str | int) -> JSON:
    """An object with none but these fields, those without a value left out."""
    if not isinstance(value, dict):
        invalid("Input should be a valid dictionary or object", *place, kind="model_attributes_type")
    for name in value:
        if name not in fields:
            invalid("Extra inputs are not permitted", *place, name, kind="extra_forbidden")
    return {name: inner for name, inner in value.items() if inner is not None}


def attachment(url: Any, kind: str, name: str) -> Attachment:
    if isinstance(url, str) and url.startswith("https://"):
        return Attachment("image/*" if kind == "image_url" else "application/pdf", None, name or url)
    head, _, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    media_type, _, encoding = head.removeprefix("data:").rpartition(";")
    if not head.startswith("data:") or encoding != "base64":
        refuse(f"{kind} must be a valid URL or a base64 data URL", code="3310")
    try:
        return Attachment(media_type, len(base64.b64decode(data, validate=True)), name)
    except (binascii.Error, ValueError):
        refuse("Invalid base64 data", code="3310")


def listed(values: Iterable[str]) -> str:
    return " or ".join(f"'{value}'" for value in values)
