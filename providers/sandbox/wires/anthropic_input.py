"""Reading an Anthropic Messages request, and refusing what the vendor refuses: parameters that are gone, calls without
their results right behind them, answers begun for the model."""

from typing import Any, cast

from providers.sandbox.asks import JSON, Ask, Message, Result
from providers.sandbox.listing import Model, find
from providers.sandbox.wires import anthropic_blocks, anthropic_options, anthropic_thoughts
from providers.sandbox.wires.anthropic_blocks import blocks
from providers.sandbox.wires.anthropic_errors import refuse, unknown_model

_PARAMETERS = frozenset(
    {
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    }
)


def read(body: Any) -> Ask:
    """Raises Refused."""
    if not isinstance(body, dict):
        refuse("The request body is not valid JSON.")
    for name in body:
        if name not in _PARAMETERS:
            refuse(f"{name}: Extra inputs are not permitted")
    found = _model(body)
    limit = anthropic_options.limit(body, found)
    said = turns(body)
    _check_pairs(said)
    tools = anthropic_options.tools(body)
    choice = anthropic_options.choice(body, tools)
    thinking = anthropic_options.thinking(body, found, limit, forced=choice not in ("auto", "none"))
    anthropic_thoughts.check(body.get("system"), said, found.model_id, must_begin=thinking.budgeted)
    return _ask(body, found, said, tools=tools, tool_choice=choice, max_tokens=limit, **thinking.asked)


def _ask(body: JSON, found: Model, said: list[JSON], **asked: Any) -> Ask:
    system = "\n".join(anthropic_blocks.text_of(turn["content"]) for turn in said if turn["role"] == "system")
    return Ask(
        model=found.model_id,
        messages=_messages(said),
        system="\n".join(text for text in (anthropic_blocks.text_of(body.get("system") or ""), system) if text),
        parallel=(body.get("tool_choice") or {}).get("disable_parallel_tool_use") is not True,
        schema=anthropic_options.schema(body),
        stream=body.get("stream") is True,
        **asked,
    )


def _model(body: JSON) -> Model:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        refuse("model: Field required")
    found = find("anthropic", name)
    if found is None:
        unknown_model(name)
    return found


# ---------------------------------------------------------------- turns
def turns(body: JSON) -> list[JSON]:
    """The messages, with neighbours of one role joined as the vendor joins them. Raises Refused."""
    given = body.get("messages")
    if not isinstance(given, list):
        refuse("messages: Field required")
    said: list[JSON] = []
    for index, message in enumerate(given):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant", "system"):
            refuse(f'messages: Unexpected role "{role}". Allowed roles are "user", "assistant" and "system".')
        anthropic_blocks.check(message, f"messages.{index}")
        content = blocks(message["content"])
        if said and said[-1]["role"] == role:
            said[-1]["content"] += content
        else:
            said.append({"role": role, "content": content})
    _check_ends(said)
    return said


def _check_ends(said: list[JSON]) -> None:
    if not said:
        refuse("messages: at least one message is required")
    if said[0]["role"] == "assistant":
        refuse('messages: first message must use the "user" role')
    if said[-1]["role"] == "assistant":
        refuse("This model does not support assistant message prefill. The conversation must end with a user message.")


def _check_pairs(said: list[JSON]) -> None:
    """The results of one message's calls, all of them, come first in the very next message, and nowhere else."""
    seen: set[str] = set()
    for index, (before, turn) in enumerate(zip([None, *said], [*said, None], strict=True)):
        called = _ids(before, "tool_use", "id")
        if len(set(called)) < len(called) or seen & set(called):
            refuse("messages: `tool_use` ids must be unique")
        seen |= set(called)
        given = _ids(turn, "tool_result", "tool_use_id")
        leading = _leading(turn)
        missing = [call for call in called if call not in leading]
        if missing:
            refuse(
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        stray = [result for result in given if result not in called]
        if stray:
            refuse(
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(stray)}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if len(set(given)) < len(given):
            refuse("each tool_use must have a single result. Found multiple `tool_result` blocks with one id.")


def _ids(turn: JSON | None, kind: str, field: str) -> list[str]:
    return [block[field] for block in (turn or {}).get("content", ()) if block["type"] == kind]


def _leading(turn: JSON | None) -> set[str]:
    found: set[str] = set()
    for block in (turn or {}).get("content", ()):
        if block["type"] != "tool_result":
            break
        found.add(block["tool_use_id"])
    return found


def _messages(said: list[JSON]) -> tuple[Message, ...]:
    """What was said in order; a turn that answers calls and goes on with words is two messages."""
    names: dict[str, str] = {}
    told: list[Message] = []
    for turn in said:
        content = cast("list[JSON]", turn["content"])
        names |= {block["id"]: str(block.get("name")) for block in content if block["type"] == "tool_use"}
        text = anthropic_blocks.text_of(content)
        if turn["role"] == "assistant":
            calls = tuple(str(block.get("name")) for block in content if block["type"] == "tool_use")
            told.append(Message("assistant", text, calls=calls))
        elif turn["role"] == "user":
            results = tuple(
                Result(names.get(block["tool_use_id"], ""), anthropic_blocks.text_of(block.get("content") or ""))
                for block in content
                if block["type"] == "tool_result"
            )
            attached = tuple(anthropic_blocks.attachments(content))
            told += [Message("tool", results=results)] * bool(results)
            told += [Message("user", text, attached)] * bool(text or attached)
    return tuple(told)
