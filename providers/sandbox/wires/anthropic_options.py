"""The options of an Anthropic Messages request: its limit, its tools, how it thinks, the schema of its answer."""

import re
from dataclasses import dataclass
from typing import Any

from providers.sandbox.asks import JSON, Tool
from providers.sandbox.listing import Model
from providers.sandbox.wires.anthropic_errors import refuse

EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THINKING = ("adaptive", "enabled", "disabled", "between_tools")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_SMALLEST_BUDGET = 1024
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Thinking:
    """`effort` is None for no thoughts; `shown` is false for thoughts that are kept back."""

    effort: str | None = None
    shown: bool = False
    budgeted: bool = False

    @property
    def asked(self) -> JSON:
        return {"effort": self.effort, "show_reasoning": self.shown}


def limit(body: JSON, found: Model) -> int:
    most = body.get("max_tokens")
    if most is None:
        refuse("max_tokens: Field required")
    if isinstance(most, bool) or not isinstance(most, int):
        refuse("max_tokens: Input should be a valid integer")
    if most < 0:
        refuse("max_tokens: Input should be greater than or equal to 0")
    if most > found.output:
        refuse(
            f"max_tokens: {most} > {found.output}, which is the maximum allowed number of output tokens for "
            f"{found.model_id}"
        )
    return most


def tools(body: JSON) -> tuple[Tool, ...]:
    offered = body.get("tools") or []
    if not isinstance(offered, list):
        refuse("tools: Input should be a valid list")
    return tuple(_tool(tool, f"tools.{index}") for index, tool in enumerate(offered))


def _tool(tool: Any, place: str) -> Tool:
    if not isinstance(tool, dict) or tool.get("type", "custom") != "custom":
        kind = tool.get("type") if isinstance(tool, dict) else tool
        refuse(f"{place}: Input tag '{kind}': the sandbox knows custom tools only")
    name, schema = tool.get("name"), tool.get("input_schema")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        refuse(f"{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if not isinstance(schema, dict):
        refuse(f"{place}.custom.input_schema: Field required")
    if schema.get("type") != "object":
        refuse(f"{place}.custom.input_schema.type: Input should be 'object'")
    return Tool(name, str(tool.get("description") or ""), schema)


def choice(body: JSON, offered: tuple[Tool, ...]) -> str:
    given = body.get("tool_choice")
    if given is None:
        return "auto"
    kind = given.get("type") if isinstance(given, dict) else None
    if not offered:
        refuse("tool_choice may only be specified while providing tools.")
    if kind in _CHOICES:
        return _CHOICES[kind]
    name = given.get("name") if isinstance(given, dict) else None
    if kind != "tool" or name not in {tool.name for tool in offered}:
        refuse(f"Tool '{name}' not found in provided tools")
    return str(name)


def thinking(body: JSON, found: Model, most: int, *, forced: bool) -> Thinking:
    """A model that reasons does so when nothing is said, and keeps it to itself; the other one has to be asked."""
    effort = _output(body).get("effort")
    if effort is not None and effort not in EFFORTS:
        refuse(f"output_config.effort: Input should be {', '.join(repr(one) for one in EFFORTS)}")
    given = body.get("thinking")
    if given is None:
        return Thinking("high") if found.reasons and not forced else Thinking()
    kind = given.get("type") if isinstance(given, dict) else None
    if kind not in _THINKING:
        refuse(f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind in ("disabled", "between_tools"):
        return Thinking()
    if forced:
        refuse("Thinking may not be enabled when tool_choice forces tool use.")
    if kind == "enabled":
        _check_budget(given.get("budget_tokens"), most)
    willing = found.reasons or effort or kind == "enabled"
    shown = given.get("display", "omitted" if found.reasons else "summarized") == "summarized"
    return Thinking((effort or "high") if willing else None, shown, budgeted=kind == "enabled")


def _check_budget(budget: Any, most: int) -> None:
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < _SMALLEST_BUDGET:
        refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if budget >= most:
        refuse("`max_tokens` must be greater than `thinking.budget_tokens`.")


def schema(body: JSON) -> JSON | None:
    form = _output(body).get("format")
    if form is None:
        return None
    found = form.get("schema") if isinstance(form, dict) and form.get("type") == "json_schema" else None
    if not isinstance(found, dict):
        refuse("output_config.format.schema: Field required")
    _check_closed(found)
    return found


def _check_closed(schema: Any, depth: int = 0) -> None:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        refuse("output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false")
    inner = [schema.get("items"), *schema.get("anyOf", ())]
    for group in (schema.get("properties"), schema.get("$defs")):
        inner += group.values() if isinstance(group, dict) else ()
    for one in inner:
        _check_closed(one, depth + 1)


def _output(body: JSON) -> JSON:
    config = body.get("output_config") or {}
    if not isinstance(config, dict):
        refuse("output_config: Input should be a valid dictionary")
    return config
