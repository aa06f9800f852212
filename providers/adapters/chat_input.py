"""The settings of a Chat Completions request, which every server of that wire takes alike; messages are elsewhere."""

from typing import Any

from providers import wire
from providers.contract import GenerateRequest


def settings(request: GenerateRequest) -> dict[str, Any]:
    """Only what was asked for: some servers refuse what they do not know."""
    optional = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "reasoning_effort": request.reasoning_effort,
        "response_format": _format(request),
        **_tools(request),
    }
    return {name: value for name, value in optional.items() if value is not None}


def _format(request: GenerateRequest) -> dict[str, Any] | None:
    if request.response_schema is None:
        return None
    name, schema = request.response_schema
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": wire.strict(schema)}}


def _tools(request: GenerateRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in request.tools
    ]
    if request.tool_choice in ("auto", "none", "required"):
        return {"tools": tools, "tool_choice": request.tool_choice}
    return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": request.tool_choice}}}
