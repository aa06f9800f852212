"""What the vendor demands of a request that a ChatGPT plan shall answer, and how it lists a plan's models."""

from typing import Any

from providers.sandbox.asks import JSON
from providers.sandbox.listing import MODELS
from providers.sandbox.wires.openai_errors import refuse

_DEMANDED = {"store": False, "stream": True}
_REFUSED = (
    *("background", "conversation", "max_output_tokens", "max_tool_calls", "metadata", "moderation", "prompt"),
    *("safety_identifier", "temperature", "top_p", "truncation", "user", "previous_response_id"),
)
_UNSUPPORTED = "subscription_sharing_unsupported_capability"


def check(body: Any) -> None:
    """Raises Refused."""
    if not isinstance(body, dict):
        return
    for name in _REFUSED:
        if name in body:
            refuse(f"'{name}' is not supported with a plan.", param=name, code=_UNSUPPORTED)
    for name, value in _DEMANDED.items():
        if body.get(name) is not value:
            refuse(f"'{name}' must be {str(value).lower()} with a plan.", param=name, code=_UNSUPPORTED)
    items = body.get("input")
    if not isinstance(items, list) or any(isinstance(one, dict) and one.get("role") == "system" for one in items):
        refuse("'input' must be a list without system messages.", param="input", code=_UNSUPPORTED)


def listed() -> JSON:
    hidden = {"slug": "gpt-sandbox-hidden", "display_name": "Hidden", "visibility": "hide"}
    shown = [{"slug": one.model_id, "display_name": one.label, "visibility": "list"} for one in MODELS["openai"]]
    return {"models": [*shown, hidden]}
