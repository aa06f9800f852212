"""Reading an OpenAI Responses request, and refusing what the vendor refuses: loose ends between calls and outputs,
reasoning it cannot open, content of a kind that does not belong there."""

from collections.abc import Iterator
from typing import Any, cast

from providers.sandbox.asks import JSON, Ask, Attachment, Message, Result
from providers.sandbox.listing import Model
from providers.sandbox.wires import openai_shapes as shapes
from providers.sandbox.wires import responses_items
from providers.sandbox.wires.openai_errors import refuse

_PARAMETERS = frozenset(
    {
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "conversation",
        "image",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
_ITEMS = ("message", "reasoning", "function_call", "function_call_output")
_CONTENT = {
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text",),
    "developer": ("input_text",),
    "assistant": ("output_text", "refusal"),
}


def read(raw: Any, account: str) -> Ask:
    """Raises Refused."""
    body = shapes.body_object(raw, _PARAMETERS)
    found = shapes.model("openai", body)
    for name in ("previous_response_id", "conversation"):
        if name in body:
            message = f"Previous response with id '{body[name]}' not found."
            refuse(message, param=name, code="previous_response_not_found")
    items = _items(body)
    responses_items.check(items, found.model_id, account)
    return _ask(body, found, items, account)


def _ask(body: JSON, found: Model, items: list[JSON], account: str) -> Ask:
    messages, system = _messages(items)
    tools = tuple(shapes.function(tool, f"tools[{index}]") for index, tool in _functions(body))
    reasoning = _object(body, "reasoning")
    effort = shapes.effort(found, reasoning.get("effort"), body, "reasoning.effort")
    return Ask(
        model=found.model_id,
        messages=messages,
        system="\n".join([str(body.get("instructions") or ""), *system]).strip(),
        tools=tools,
        tool_choice=shapes.chosen(body.get("tool_choice"), tools),
        parallel=body.get("parallel_tool_calls", True) is not False,
        schema=_schema(body),
        effort=effort,
        show_reasoning=bool(reasoning.get("summary")),
        max_tokens=shapes.integer(body, "max_output_tokens", low=16),
        stream=body.get("stream") is True,
        account=account,
    )


def _items(body: JSON) -> list[JSON]:
    given = body.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        refuse("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    for index, item in enumerate(given):
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if kind not in _ITEMS:
            known = shapes.listed(_ITEMS)
            message = f"Invalid value: '{kind}'. Supported values are: {known}."
            refuse(message, param=f"input[{index}]", code="invalid_value")
    return given


def _messages(items: list[JSON]) -> tuple[tuple[Message, ...], list[str]]:
    """What was said in order, and the texts of system and developer messages."""
    names = {item.get("call_id"): str(item.get("name") or "") for item in items if item.get("type") == "function_call"}
    said: list[Message] = []
    system: list[str] = []
    for index, item in enumerate(items):
        match item.get("type", "message"):
            case "function_call":
                said.append(Message("assistant", calls=(str(item.get("name")),)))
            case "function_call_output":
                content = _output(item, index)
                said.append(Message("tool", results=(Result(names[item.get("call_id")], content),)))
            case "message" if item.get("role") in {"system", "developer"}:
                system.append(_message(item, index).text)
            case "message":
                said.append(_message(item, index))
    return tuple(said), system


def _message(item: JSON, index: int) -> Message:
    role, param = item.get("role"), f"input[{index}]"
    if role not in _CONTENT:
        message = f"Invalid value: '{role}'. Supported values are: {shapes.listed(_CONTENT)}."
        refuse(message, param=f"{param}.role", code="invalid_value")
    texts: list[str] = []
    attachments: list[Attachment] = []
    for part, place in _contents(item, param, role):
        match part["type"]:
            case "input_image":
                attachments.append(shapes.image(part.get("image_url"), f"{place}.image_url"))
            case "input_file":
                name = str(part.get("filename") or "")
                attachments.append(shapes.data_url(part.get("file_data"), f"{place}.file_data", name))
            case "refusal":
                texts.append(str(part.get("refusal") or ""))
            case _:
                texts.append(_text(part, place))
    return Message("assistant" if role == "assistant" else "user", "\n".join(texts), tuple(attachments))


def _contents(item: JSON, param: str, role: str) -> Iterator[tuple[JSON, str]]:
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": _CONTENT[role][0], "text": content}]
    if not isinstance(content, list):
        message = f"Invalid type for '{param}.content': expected an array or a string."
        refuse(message, param=f"{param}.content", code="invalid_type")
    for number, part in enumerate(content):
        place = f"{param}.content[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _CONTENT[role]:
            message = f"Invalid value: '{kind}'. Supported values are: {shapes.listed(_CONTENT[role])}."
            refuse(message, param=place, code="invalid_value")
        yield part, place


def _text(part: JSON, place: str) -> str:
    if not isinstance(part.get("text"), str):
        refuse(f"Missing required parameter: '{place}.text'.", param=f"{place}.text", code="missing_required_parameter")
    return cast("str", part["text"])


def _output(item: JSON, index: int) -> str:
    output = item.get("output")
    if isinstance(output, list):
        return "\n".join(str(part.get("text") or part.get("type")) for part in output if isinstance(part, dict))
    if not isinstance(output, str):
        refuse(f"Missing required parameter: 'input[{index}].output'.", param=f"input[{index}].output")
    return output


def _functions(body: JSON) -> Iterator[tuple[int, JSON]]:
    for index, tool in enumerate(body.get("tools") or ()):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            kind = tool.get("type") if isinstance(tool, dict) else tool
            message = f"Invalid value: '{kind}'. The sandbox supports tools of type 'function' only."
            refuse(message, param=f"tools[{index}].type", code="invalid_value")
        yield index, tool


def _schema(body: JSON) -> JSON | None:
    form = _object(_object(body, "text"), "format")
    kind = form.get("type", "text")
    if kind == "json_schema":
        schema = form.get("schema")
        if not isinstance(schema, dict) or not form.get("name"):
            refuse(
                "Missing required parameter: 'text.format.name'.",
                param="text.format",
                code="missing_required_parameter",
            )
        if form.get("strict"):
            shapes.strict(
                schema,
                f"Invalid schema for response_format '{form['name']}'",
                "text.format.schema",
                "invalid_json_schema",
            )
        return schema
    return {} if kind == "json_object" else None


def _object(body: JSON, name: str) -> JSON:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(f"Invalid type for '{name}': expected an object.", param=name, code="invalid_type")
    return value
