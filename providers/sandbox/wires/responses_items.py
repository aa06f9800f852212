"""What binds the items of a Responses request to each other and to their maker: calls to outputs, sealed reasoning to
its account and model, and whatever followed reasoning to that reasoning."""

import re
import uuid
from typing import Any

from providers.sandbox.asks import JSON
from providers.sandbox.seals import seal
from providers.sandbox.wires.openai_errors import refuse

LONGEST_ID = 64
# An `r` is no hexadecimal digit: it marks the ids of what was made after reasoning.
_AFTER_REASONING = re.compile(r"(?:msg|fc)_(r[0-9a-f]{31})(?:_\d+)?")


def stem(*, reasoned: bool) -> str:
    """What the ids of one answer's items have in common."""
    name = uuid.uuid4().hex
    return f"r{name[1:]}" if reasoned else name


def sealed(model: str, account: str, item_id: str) -> str:
    """The encrypted content of a reasoning item."""
    return seal(model, f"reasoning\n{account}\n{item_id}")


def check(items: list[JSON], model: str, account: str) -> None:
    """Raises Refused."""
    _check_pairs(items)
    thoughts: set[Any] = set()
    for index, item in enumerate(items):
        if item.get("type") == "reasoning":
            _check_reasoning(items, index, model, account)
            thoughts.add(item.get("id"))
        _check_followed(item, thoughts)


def _check_pairs(items: list[JSON]) -> None:
    waiting: list[str] = []
    for index, item in enumerate(items):
        kind, call_id = item.get("type"), item.get("call_id")
        if kind not in ("function_call", "function_call_output"):
            continue
        if not isinstance(call_id, str) or not 0 < len(call_id) <= LONGEST_ID:
            message = f"Invalid 'input[{index}].call_id': expected a string of at most {LONGEST_ID} characters."
            refuse(message, param=f"input[{index}].call_id", code="string_above_max_length")
        if kind == "function_call":
            waiting.append(call_id)
        elif call_id in waiting:
            waiting.remove(call_id)
        else:
            message = f"No tool call found for function call output with call_id {call_id}."
            refuse(message, param=f"input[{index}]")
    for call_id in waiting:
        refuse(f"No tool output found for function call {call_id}.", param="input")


def _check_reasoning(items: list[JSON], index: int, model: str, account: str) -> None:
    item, param = items[index], f"input[{index}]"
    token, name = item.get("encrypted_content"), item.get("id")
    if not isinstance(item.get("summary"), list):
        refuse(f"Missing required parameter: '{param}.summary'.", param=f"{param}.summary")
    if not token:
        message = f"Item with id '{name}' not found. Items are not persisted when `store` is set to false."
        refuse(message, param="input", status=404)
    if not isinstance(token, str) or token != sealed(model, account, str(name)):
        message = f"The encrypted content for item {name} could not be verified."
        refuse(message, param=param, code="invalid_encrypted_content")
    after = items[index + 1] if index + 1 < len(items) else {}
    by_model = after.get("type") in {"reasoning", "function_call"} or after.get("role") == "assistant"
    if not by_model:
        message = f"Item '{name}' of type 'reasoning' was provided without its required following item."
        refuse(message, param="input")


def _check_followed(item: JSON, thoughts: set[Any]) -> None:
    name = item.get("id")
    found = _AFTER_REASONING.fullmatch(name) if isinstance(name, str) else None
    if found and f"rs_{found[1]}" not in thoughts:
        kind = item.get("type", "message")
        refuse(
            f"Item '{name}' of type '{kind}' was provided without its required 'reasoning' item: 'rs_{found[1]}'.",
            param="input",
        )
