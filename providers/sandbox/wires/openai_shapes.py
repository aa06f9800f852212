"""What Responses and Chat Completions check alike: parameters, models, media, strict schemas, tools."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from providers.sandbox.asks import JSON, Attachment, Tool
from providers.sandbox.listing import Model, find
from providers.sandbox.wires.openai_errors import refuse, unknown_model

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
DEEPEST_SCHEMA = 30


def body_object(body: Any, known: frozenset[str]) -> JSON:
    """The body when it is an object with parameters the vendor knows; an unknown one is an error, as there."""
    if not isinstance(body, dict):
        refuse("We could not parse the JSON body of your request.")
    for name in body:
        if name not in known:
            refuse(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    return {name: value for name, value in body.items() if value is not None}


def model(provider: str, body: JSON) -> Model:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        refuse("you must provide a model parameter")
    found = find(provider, name)
    if found is None:
        unknown_model(name)
    if not found.generates:
        refuse(f"The model `{name}` cannot be used to generate text.", param="model", code="unsupported_model")
    return found


def effort(found: Model, asked: Any, body: JSON, param: str) -> str | None:
    """The effort to reason with, None for none. Reasoning models take no temperature, as at the vendor."""
    if asked is not None and asked not in EFFORTS:
        refuse(f"Invalid value: '{asked}'. Supported values are: {listed(EFFORTS)}.", param=param, code="invalid_value")
    for name in ("temperature", "top_p"):
        if found.reasons and name in body:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            refuse(message, param=name, code="unsupported_parameter")
    chosen = asked or ("medium" if found.reasons else "none")
    return None if chosen == "none" else chosen


def integer(body: JSON, name: str, *, low: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type")
    if value < low:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}, but got {value} instead."
        refuse(message, param=name, code="integer_below_min_value")
    return value


def image(url: Any, param: str) -> Attachment:
    if not isinstance(url, str) or not url.startswith(("data:image/", "https://", "http://")):
        refuse("Invalid image URL.", param=param, code="invalid_image_url")
    return data_url(url, param) if url.startswith("data:") else Attachment("image/*", None, url)


def data_url(url: Any, param: str, name: str = "") -> Attachment:
    head, _, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    media_type, _, encoding = head.removeprefix("data:").rpartition(";")
    if not head.startswith("data:") or encoding != "base64":
        refuse("Invalid file data: expected a base64-encoded data URL.", param=param, code="invalid_value")
    try:
        size = len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        refuse("Invalid base64 data.", param=param, code="invalid_base64")
    return Attachment(media_type, size, name)


def function(tool: JSON, param: str) -> Tool:
    """A function as Responses writes it flat and Chat Completions nests it; strict schemas are held to their rules."""
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        refuse(f"Missing required parameter: '{param}.name'.", param=f"{param}.name", code="missing_required_parameter")
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(parameters, dict):
        refuse("Expected an object.", param=f"{param}.parameters", code="invalid_type")
    if tool.get("strict"):
        strict(
            parameters, f"Invalid schema for function '{name}'", f"{param}.parameters", "invalid_function_parameters"
        )
    return Tool(name, str(tool.get("description") or ""), parameters)


def chosen(choice: Any, tools: Iterable[Tool]) -> str:
    """auto, none, required or the name of the tool that must be called."""
    if choice is None or choice in ("auto", "none", "required"):
        return choice or "auto"
    nested = choice.get("function", choice) if isinstance(choice, dict) else {}
    name = nested.get("name") if isinstance(nested, dict) else None
    if not isinstance(name, str) or name not in {tool.name for tool in tools}:
        refuse(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
    return name


def strict(schema: Any, what: str, param: str, code: str, context: tuple[str, ...] = ()) -> None:
    """Refuse a strict schema whose objects are open or have optional properties."""
    if not isinstance(schema, dict) or len(context) > DEEPEST_SCHEMA:
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        properties = properties if isinstance(properties, dict) else {}
        if schema.get("additionalProperties") is not False:
            lack = "'additionalProperties' is required to be supplied and to be false."
            refuse(f"{what}: In context={context}, {lack}", param=param, code=code)
        missing = [name for name in properties if name not in (schema.get("required") or ())]
        if missing:
            lack = "'required' is required to be supplied and to be an array including every key in properties."
            refuse(f"{what}: In context={context}, {lack} Missing '{missing[0]}'.", param=param, code=code)
        for name, inner in properties.items():
            strict(inner, what, param, code, (*context, "properties", name))
    strict(schema.get("items"), what, param, code, (*context, "items"))
    for name, inner in (schema.get("$defs") or {}).items() if isinstance(schema.get("$defs"), dict) else ():
        strict(inner, what, param, code, (*context, "$defs", name))


def listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
