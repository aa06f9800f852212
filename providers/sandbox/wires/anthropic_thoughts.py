"""Signatures of Anthropic's thinking blocks: bound to the model, to the thought and to what was said before it."""

import hashlib
import json
from typing import Any

from providers.sandbox.asks import JSON
from providers.sandbox.seals import holds, seal
from providers.sandbox.wires.anthropic_errors import refuse

_UNBOUND = ("thinking", "redacted_thinking")


def signature(model: str, before: str, thought: str) -> str:
    """`before` is the digest of the conversation that led to the thought."""
    return seal(model, f"{before}\n{thought}")


def prefix(system: Any, turns: list[JSON]) -> str:
    """A digest of what was said; thoughts do not count, as they may be left out."""
    said = [[turn["role"], [block for block in turn["content"] if block["type"] not in _UNBOUND]] for turn in turns]
    told = json.dumps([system or "", said], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()


def check(system: Any, turns: list[JSON], model: str, *, must_begin: bool) -> None:
    """Refuse thoughts that are not what this model thought at this place. `must_begin`: the newest step of a tool
    loop has to begin with one."""
    for number, turn in enumerate(turns):
        if turn["role"] == "assistant" and any(block["type"] in _UNBOUND for block in turn["content"]):
            _check_turn(turn, number, model, prefix(system, turns[:number]))
    steps = [turn for turn in turns[_loop(turns) :] if turn["role"] == "assistant"]
    if must_begin and steps and steps[-1]["content"][0]["type"] not in _UNBOUND:
        kind = steps[-1]["content"][0]["type"]
        refuse(
            f"messages.{turns.index(steps[-1])}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{kind}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )


def _loop(turns: list[JSON]) -> int:
    """The first turn after the newest one in which a person said something."""
    people = [
        number
        for number, turn in enumerate(turns)
        if turn["role"] == "user" and any(block["type"] != "tool_result" for block in turn["content"])
    ]
    return people[-1] + 1 if people else 0


def _check_turn(turn: JSON, number: int, model: str, before: str) -> None:
    for index, block in enumerate(turn["content"]):
        where = f"messages.{number}.content.{index}"
        if block["type"] == "redacted_thinking" and not holds(str(block.get("data")), model, before):
            refuse(f"{where}: Invalid `data` in `redacted_thinking` block")
        if block["type"] == "thinking":
            _check_thought(block, where, model, before)


def _check_thought(block: JSON, where: str, model: str, before: str) -> None:
    token, thought = block.get("signature"), block.get("thinking")
    if not isinstance(thought, str):
        refuse(f"{where}.thinking.thinking: Field required")
    if not isinstance(token, str):
        refuse(f"{where}.thinking.signature: Field required")
    if not holds(token, model, f"{before}\n{thought}"):
        bound = " The block is bound to a different conversation." if token else ""
        refuse(f"{where}: Invalid `signature` in `thinking` block.{bound}")
