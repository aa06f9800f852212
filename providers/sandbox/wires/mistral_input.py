"""Reading a Mistral request; refuses unknown fields, calls with other ids than its own, and any other order."""

import re
from collections.abc import Iterator
from typing import Any

from providers.sandbox.asks import JSON, Ask, Attachment, Message, Result, Tool
from providers.sandbox.listing import Model, find
from providers.sandbox.seals import holds
from providers.sandbox.wires import mistral_shapes as shapes
from providers.sandbox.wires.mistral_errors import invalid, refuse, unknown_model

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_AFTER = {
    "system": {"system", "user", "assistant"},
    "user": {"system", "user", "assistant"},
    "assistant": {"user", "assistant", "tool"},
    "tool": {"assistant", "tool"},
}
_CHUNKS = {
    "system": ("text", "thinking"),
    "user": ("text", "image_url", "document_url", "reference"),
    "assistant": ("text", "thinking", "reference", "sandbox_novelty"),
    "tool": ("text", "image_url", "reference"),
}


def read(raw: Any) -> Ask:
    """Raises Refused."""
    body = shapes.known(raw, shapes.TOP)
    found = _model(body)
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        invalid("List should have at least 1 item after validation, not 0", "messages", kind="too_short")
    for index, item in enumerate(given):
        _check(item, index, found)
    _check_order(given)
    tools = tuple(_tool(tool, index) for index, tool in enumerate(body.get("tools") or ()))
    names = {call["id"]: call["function"]["name"] for item in given for call in item.get("tool_calls") or ()}
    return Ask(
        model=found.model_id,
        messages=tuple(_message(item, names) for item in given if item["role"] != "system"),
        system="\n".join(_text(item) for item in given if item["role"] == "system"),
        tools=tools,
        tool_choice=_choice(body.get("tool_choice"), tools),
        parallel=body.get("parallel_tool_calls", True) is not False,
        schema=_schema(body.get("response_format")),
        effort=_effort(found, body.get("reasoning_effort")),
        show_reasoning=True,
        max_tokens=_max_tokens(body),
        stream=body.get("stream") is True,
    )


def _model(body: JSON) -> Model:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        invalid("Field required", "model", kind="missing")
    found = find("mistral", name)
    if found is None or not found.generates:
        unknown_model(name)
    return found


def _effort(found: Model, asked: Any) -> str | None:
    if asked is not None and asked not in EFFORTS:
        invalid(f"Input should be {shapes.listed(EFFORTS)}", "reasoning_effort", kind="literal_error")
    chosen = asked or ("high" if found.reasons else "none")
    return None if chosen == "none" else chosen


# ---------------------------------------------------------------- messages
def _check(item: Any, index: int, found: Model) -> None:
    role = item.get("role") if isinstance(item, dict) else None
    if role not in _AFTER:
        invalid(f"Input should be {shapes.listed(_AFTER)}", "messages", index, "role", kind="union_tag_invalid")
    shapes.known(item, shapes.MESSAGES[role], "messages", index)
    for chunk in chunks(item):
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        if kind not in _CHUNKS[role]:
            place = ("messages", index, "content")
            invalid(f"Input tag '{kind}' does not match any of the expected tags", *place, kind="union_tag_invalid")
        if kind == "thinking":
            _check_thought(chunk, found)
    if role == "assistant" and not (item.get("content") or item.get("tool_calls")):
        refuse("Assistant message must have either content or tool_calls, but not none.", code="3240")
    for call in item.get("tool_calls") or ():
        _check_call(call)
    if role == "tool":
        _check_id(item.get("tool_call_id"))


def _check_thought(chunk: JSON, found: Model) -> None:
    """A signed thought is the model's own, to the letter."""
    signature = chunk.get("signature")
    if signature and not holds(str(signature), found.model_id, thought(chunk)):
        refuse("Invalid signature in thinking chunk.")


def _check_call(call: Any) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        told = "must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
        refuse(f"Function name was {name} but {told}", kind="invalid_function_call", code="3280")
    _check_id(call.get("id"))


def _check_id(call_id: Any) -> None:
    if not isinstance(call_id, str) or not _NINE.fullmatch(call_id):
        message = f"Tool call id was {call_id} but must be a-z, A-Z, 0-9, with a length of 9."
        refuse(message, kind="invalid_function_call", code="3280")


def _check_order(items: list[JSON]) -> None:
    waiting: list[str] = []
    for before, item in zip([{"role": "system"}, *items], items, strict=False):
        if item["role"] not in _AFTER[before["role"]]:
            _disordered(f"Unexpected role '{item['role']}' after role '{before['role']}'")
        if item["role"] == "tool":
            if item["tool_call_id"] not in waiting:
                _disordered(f"Unexpected tool call id {item['tool_call_id']} in tool results")
            waiting.remove(item["tool_call_id"])
        elif waiting:
            _disordered("Not the same number of function calls and responses")
        waiting += [call["id"] for call in item.get("tool_calls") or ()]
    last = items[-1]
    if waiting:
        _disordered("Not the same number of function calls and responses")
    if last["role"] not in {"user", "tool"} and last.get("prefix") is not True:
        told = "Expected last role User or Tool (or Assistant with prefix True) for serving but got"
        _disordered(f"{told} {last['role']}")


def _disordered(message: str) -> None:
    refuse(message, kind="invalid_request_message_order", code="3230")


def chunks(item: JSON) -> list[Any]:
    content = item.get("content")
    return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []


def thought(chunk: JSON) -> str:
    """The words of a thinking chunk, which its signature covers."""
    thinking = chunk.get("thinking")
    return "".join(str(piece.get("text", "")) for piece in thinking or () if isinstance(piece, dict))


def _text(item: JSON) -> str:
    return "\n".join(str(chunk.get("text") or "") for chunk in chunks(item) if chunk["type"] == "text")


def _message(item: JSON, names: dict[str, str]) -> Message:
    match item["role"]:
        case "tool":
            return Message("tool", results=(Result(names.get(item["tool_call_id"], ""), _text(item)),))
        case "assistant":
            calls = tuple(call["function"]["name"] for call in item.get("tool_calls") or ())
            return Message("assistant", _text(item), calls=calls)
        case _:
            return Message("user", _text(item), tuple(_attachments(item)))


def _attachments(item: JSON) -> Iterator[Attachment]:
    for chunk in chunks(item):
        if chunk["type"] in {"image_url", "document_url"}:
            value = chunk.get(chunk["type"])
            url = value.get("url") if isinstance(value, dict) else value
            yield shapes.attachment(url, chunk["type"], str(chunk.get("document_name") or ""))


# ---------------------------------------------------------------- tools and formats
def _tool(tool: Any, index: int) -> Tool:
    inner = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(inner, dict) or not _NAME.fullmatch(str(inner.get("name"))):
        invalid("Field required", "tools", index, "function", "name", kind="missing")
    shapes.known(inner, shapes.FUNCTION, "tools", index, "function")
    return Tool(inner["name"], str(inner.get("description") or ""), inner.get("parameters") or {"type": "object"})


def _choice(choice: Any, tools: tuple[Tool, ...]) -> str:
    """auto, none, required or the name of the tool that must be called; "any" is the vendor's older "required"."""
    if choice in (None, "auto", "none", "required", "any"):
        return {"any": "required"}.get(choice, choice or "auto")
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if name not in {tool.name for tool in tools}:
        refuse(f"Tool choice {name} is not among the tools")
    return str(name)


def _schema(form: Any) -> JSON | None:
    kind = form.get("type", "text") if isinstance(form, dict) else "text"
    if kind == "json_schema":
        inner = form.get("json_schema")
        if not isinstance(inner, dict) or not isinstance(inner.get("schema"), dict) or not inner.get("name"):
            invalid("Field required", "response_format", "json_schema", kind="missing")
        schema: JSON = inner["schema"]
        return schema
    return {} if kind == "json_object" else None


def _max_tokens(body: JSON) -> int | None:
    most = body.get("max_tokens")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        invalid("Input should be greater than or equal to 1", "max_tokens", kind="greater_than_equal")
    return most
