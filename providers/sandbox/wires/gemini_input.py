"""Reading a Gemini generateContent request, and refusing what the vendor refuses: parts of unknown kinds, calls and
responses that do not match, calls without the signature they came with, signatures of another model."""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any, Literal

from providers.sandbox.asks import JSON, Ask, Attachment, Message, Result, Tool
from providers.sandbox.listing import Model, find
from providers.sandbox.seals import decoded, holds
from providers.sandbox.wires.gemini_errors import refuse, unknown_model

# What Google documents for a history that came from elsewhere.
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
_TOP = frozenset(
    {
        "cachedContent",
        "contents",
        "generationConfig",
        "labels",
        "model",
        "safetySettings",
        "serviceTier",
        "store",
        "systemInstruction",
        "toolConfig",
        "tools",
    }
)
_PARTS = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")


def pick(value: Any, name: str) -> Any:
    """A field by its camelCase name, or as some clients write it, in snake_case; None when it is missing."""
    if not isinstance(value, dict):
        return None
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return value.get(name, value.get(snake))


def signed(part: JSON) -> str:
    """What the signature of a part covers: its own call, or its own words."""
    call = pick(part, "functionCall")
    if not isinstance(call, dict):
        return f"text {part.get('text', '')}"
    return f"call {call.get('name')} {json.dumps(call.get('args') or {}, sort_keys=True)}"


def read(body: Any, model: str, *, stream: bool) -> Ask:
    """Raises Refused."""
    if not isinstance(body, dict):
        refuse("Invalid JSON payload received. Root element must be a message.")
    for name in body:
        if name not in _TOP and not any(name == _snake(known) for known in _TOP):
            refuse(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    found = _model(model)
    contents = pick(body, "contents")
    if not isinstance(contents, list) or not contents:
        refuse("* GenerateContentRequest.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        _check_content(content, index, found)
    _check_turns(contents)
    _check_signatures(contents)
    return _ask(body, found, contents, stream=stream)


def _ask(body: JSON, found: Model, contents: list[JSON], *, stream: bool) -> Ask:
    config = pick(body, "generationConfig") or {}
    thinking = pick(config, "thinkingConfig") or {}
    tools = tuple(_tools(pick(body, "tools") or []))
    system = pick(body, "systemInstruction") or {}
    most = pick(config, "maxOutputTokens")
    if most is not None and (not isinstance(most, int) or most < 1):
        refuse(f"max_output_tokens must be positive, got {most}.")
    return Ask(
        model=found.model_id,
        messages=tuple(_message(content) for content in contents),
        system="\n".join(str(part.get("text") or "") for part in _parts(system)),
        tools=tools,
        tool_choice=_choice(pick(pick(body, "toolConfig"), "functionCallingConfig")),
        schema=_schema(config),
        effort=_effort(found, thinking),
        show_reasoning=pick(thinking, "includeThoughts") is True,
        max_tokens=most,
        stream=stream,
    )


def _model(name: str) -> Model:
    found = find("gemini", name)
    if found is None or not found.generates:
        unknown_model(name)
    return found


def _check_content(content: Any, index: int, found: Model) -> None:
    if not isinstance(content, dict) or content.get("role", "user") not in {"user", "model", "function"}:
        refuse("Please use a valid role: user, model.")
    if not isinstance(content.get("parts"), list) or not content["parts"]:
        refuse(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n")
    for number, part in enumerate(content["parts"]):
        kinds = [kind for kind in _PARTS if pick(part, kind) is not None]
        place = f"contents[{index}].parts[{number}]"
        if len(kinds) != 1:
            refuse(
                f"* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field\n"
            )
        if kinds[0] in {"functionCall", "functionResponse"} and not (pick(part, kinds[0]) or {}).get("name"):
            refuse(f"* GenerateContentRequest.{place}.{_snake(kinds[0])}.name: Name cannot be empty.\n")
        signature = pick(part, "thoughtSignature")
        if signature is not None and not _genuine(str(signature), found.model_id, signed(part)):
            refuse("Thought signature is not valid.")


def _genuine(signature: str, model: str, content: str) -> bool:
    dummy = signature in DUMMIES or decoded(signature).decode("ascii", "replace") in DUMMIES
    return dummy or holds(signature, model, content)


def _check_turns(contents: list[JSON]) -> None:
    """Every turn with calls is followed by as many responses, under the same names and ids; they come nowhere else."""
    for before, content in zip([None, *contents], [*contents, None], strict=True):
        calls = [call for part in _parts(before) if (call := pick(part, "functionCall")) is not None]
        answers = [answer for part in _parts(content) if (answer := pick(part, "functionResponse")) is not None]
        if len(calls) != len(answers):
            refuse(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if sorted(map(_named, calls)) != sorted(map(_named, answers)):
            refuse("Please ensure that function response parts match the function call parts they respond to.")


def _named(call: JSON) -> tuple[str, str]:
    return str(call.get("name")), str(call.get("id") or "")


def _check_signatures(contents: list[JSON]) -> None:
    """In the current turn the first call of each step must carry the signature it came with."""
    for content in reversed(contents):
        if content.get("role", "user") == "user" and not any(
            pick(part, "functionResponse") for part in _parts(content)
        ):
            return
        first = next((part for part in _parts(content) if pick(part, "functionCall") is not None), None)
        if first is not None and not pick(first, "thoughtSignature"):
            name = pick(first, "functionCall").get("name")
            refuse(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools "
                f"to work correctly, and a missing thought_signature may lead to degraded performance. Call: {name}."
            )


def _message(content: JSON) -> Message:
    texts = [str(part["text"]) for part in _parts(content) if "text" in part and not part.get("thought")]
    results = tuple(
        Result(str(answer.get("name")), json.dumps(answer.get("response"), ensure_ascii=False))
        for part in _parts(content)
        if (answer := pick(part, "functionResponse")) is not None
    )
    calls = tuple(str(call.get("name")) for part in _parts(content) if (call := pick(part, "functionCall")) is not None)
    role: Literal["user", "assistant", "tool"] = "assistant" if content.get("role") == "model" else "user"
    attachments = tuple(one for part in _parts(content) for one in _attachment(part))
    return Message("tool" if results else role, "\n".join(texts), attachments, calls, results)


def _attachment(part: JSON) -> Iterator[Attachment]:
    inline, file = pick(part, "inlineData"), pick(part, "fileData")
    if inline is not None:
        try:
            data = str(pick(inline, "data") or "").replace("-", "+").replace("_", "/")
            size = len(base64.b64decode(data, validate=True))
        except (binascii.Error, ValueError):
            refuse("Invalid value at 'contents.parts.inline_data.data' (TYPE_BYTES), Base64 decoding failed.")
        if not pick(inline, "mimeType"):
            refuse("* GenerateContentRequest.contents.parts.inline_data.mime_type: mime_type cannot be empty.\n")
        yield Attachment(str(pick(inline, "mimeType")), size)
    elif file is not None:
        yield Attachment(str(pick(file, "mimeType") or "application/octet-stream"), None, str(pick(file, "fileUri")))


def _tools(groups: list[Any]) -> Iterator[Tool]:
    for group in groups:
        for offer in pick(group, "functionDeclarations") or ():
            schema = pick(offer, "parametersJsonSchema") or pick(offer, "parameters") or {"type": "object"}
            if not pick(offer, "name") or not isinstance(schema, dict):
                refuse("* GenerateContentRequest.tools[0].function_declarations[0].name: [FIELD_INVALID]\n")
            yield Tool(str(offer["name"]), str(offer.get("description") or ""), schema)


def _choice(config: Any) -> str:
    mode = str(pick(config, "mode") or "AUTO").upper()
    names = pick(config, "allowedFunctionNames") or []
    if mode == "ANY":
        return str(names[0]) if len(names) == 1 else "required"
    return "none" if mode == "NONE" else "auto"


def _schema(config: JSON) -> JSON | None:
    mime = pick(config, "responseMimeType")
    schema = pick(config, "responseJsonSchema") or pick(config, "responseSchema")
    if schema is not None and mime != "application/json":
        refuse("Function calling or response schema needs the response mime type: 'application/json'.")
    if schema is not None and not isinstance(schema, dict):
        refuse("Invalid value at 'generation_config.response_schema'.")
    return (schema or {}) if mime == "application/json" else None


def _effort(found: Model, thinking: Any) -> str | None:
    level, budget = pick(thinking, "thinkingLevel"), pick(thinking, "thinkingBudget")
    if budget == 0:
        return None
    if level:
        return str(level).lower()
    return "dynamic" if found.reasons or budget or pick(thinking, "includeThoughts") else None


def _parts(content: Any) -> list[JSON]:
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
