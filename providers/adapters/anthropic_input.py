"""Writes a request as Anthropic's Messages API takes it; no socket."""

from typing import Any

from anthropic import transform_schema

from providers.adapters import anthropic_thinking, anthropic_turns
from providers.contract import GenerateRequest, Origin

# The vendor wants a limit, thoughts included. Every model that it still serves takes this one.
MAX_TOKENS = 32_000

_CHOICES = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}


def body(request: GenerateRequest, origin: Origin) -> dict[str, Any]:
    """The JSON of one streamed message. A temperature is never sent: the API has none any more."""
    limit = request.max_output_tokens or MAX_TOKENS
    turns = anthropic_turns.turns_of(request, origin)
    written: dict[str, Any] = {"model": request.model_id, "max_tokens": limit, "messages": turns, "stream": True}
    optional = {
        "system": request.system or None,
        "metadata": {"user_id": request.end_user} if request.end_user else None,
        "thinking": anthropic_thinking.thinking(request, limit=limit, unopened=anthropic_turns.unopened(turns)),
        "output_config": _output(request),
        **_tools(request),
    }
    return written | {name: value for name, value in optional.items() if value is not None}


def _output(request: GenerateRequest) -> dict[str, Any] | None:
    config: dict[str, Any] = {}
    if effort := anthropic_thinking.effort(request):
        config["effort"] = effort
    if request.response_schema is not None:
        config["format"] = {"type": "json_schema", "schema": _schema(dict(request.response_schema[1]))}
    return config or None


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Closed objects, and only the keywords the vendor knows; the others become words in a description."""
    try:
        return transform_schema(schema)
    except (ValueError, TypeError, AttributeError):
        return schema


def _tools(request: GenerateRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in request.tools
    ]
    named = {"type": "tool", "name": request.tool_choice}
    return {"tools": tools, "tool_choice": _CHOICES.get(request.tool_choice, named)}
