"""What the sandbox answers: pure, the same for the same request, and plain about having called no model."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from providers.sandbox import sections
from providers.sandbox.asks import Ask, tokens
from providers.sandbox.directives import Directives
from providers.sandbox.examples import example
from providers.sandbox.faults import NAMES, Fault
from providers.sandbox.toolbox import Use, hints, uses

_PIECE = re.compile(r"\s*\S{1,6}|\s+")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `arguments` is JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Texts come in the pieces they are streamed in. A piece may end in half a surrogate pair (`joined` mends it)."""

    reasoning: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: Literal["stop", "length", "tool_calls", "blocked", "refusal"] = "stop"

    @property
    def reasoning_tokens(self) -> int:
        return len(self.reasoning)

    @property
    def output_tokens(self) -> int:
        """Everything that was generated, reasoning included: a piece is a token."""
        return len(self.reasoning) + len(self.text) + sum(tokens(call.name + call.arguments) for call in self.calls)

    @property
    def pieces(self) -> int:
        return len(self.reasoning) + len(self.text) + len(self.calls)


def answer(ask: Ask, directives: Directives, fault: Fault | None = None) -> Answer:
    called = tuple(_call(ask, use, index) for index, use in enumerate(uses(ask, directives.text)))
    reasoning = pieces(sections.reasoning(ask, directives.text)) if ask.effort else ()
    text = _text(ask, directives, called)
    made = Answer(reasoning, text, called, "tool_calls" if called else "stop")
    return _twisted(_limited(made, ask.max_tokens), fault)


def pieces(text: str) -> tuple[str, ...]:
    """A text in parts of about a token each; joined they are the text again."""
    return tuple(_PIECE.findall(text))


def joined(parts: tuple[str, ...]) -> str:
    """The text of pieces, with the halves of split characters put together."""
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def counted(length: int) -> tuple[str, ...]:
    """`length` pieces that count from 1, so that a reader sees at once what is lost or doubled."""
    return tuple(f"{number}\n\n" if number % 100 == 0 else f"{number} " for number in range(1, length + 1))


def _text(ask: Ask, directives: Directives, called: tuple[Call, ...]) -> tuple[str, ...]:
    if directives.fault and directives.fault not in NAMES:
        return pieces(f"There is no fault called `{directives.fault}`. I know {', '.join(sorted(NAMES))}.")
    if called:
        names = " and ".join(dict.fromkeys(f"`{call.name}`" for call in called))
        return () if ask.schema is not None else pieces(f"I use {names} for this.")
    if directives.length is not None and not (sections.wants_title(ask) or sections.wants_summary(ask)):
        return counted(directives.length)
    if ask.schema is not None:
        hint = next(iter(hints(directives.text)), "")
        return pieces(json.dumps(example(ask.schema or {"type": "object"}, hint), ensure_ascii=False))
    return pieces(sections.after_tools(ask) if ask.results else sections.reply(ask, directives.text))


def _call(ask: Ask, use: Use, index: int) -> Call:
    schema = use.tool.parameters or {"type": "object"}
    arguments = json.dumps(example(schema, use.hint), ensure_ascii=False)
    told = "\n".join(message.text for message in ask.messages)
    unique = f"{ask.model}\n{told}\n{len(ask.messages)}\n{len(ask.results)}\n{index}"
    digest = hashlib.sha256(unique.encode("utf-8", "replace")).hexdigest()
    return Call(f"call_{digest[:24]}", use.tool.name, arguments)


def _limited(made: Answer, most: int | None) -> Answer:
    if most is None or made.output_tokens <= most:
        return made
    room = max(most - len(made.reasoning), 0)
    return replace(made, reasoning=made.reasoning[:most], text=made.text[:room], calls=(), finish="length")


def _twisted(made: Answer, fault: Fault | None) -> Answer:
    """The answer as the faults bend it that are well formed in themselves."""
    match fault.name if fault else None:
        case "empty":
            return Answer()
        case "refusal":
            return Answer(made.reasoning, pieces(sections.REFUSAL), finish="refusal")
        case "blocked":
            return Answer(made.reasoning, made.text[: fault.after or 0] if fault else (), finish="blocked")
        case "length":
            kept = len(made.text) // 2 if fault is None or fault.after is None else fault.after
            return Answer(made.reasoning, made.text[:kept], finish="length")
        case "split_unicode":
            return Answer(made.reasoning, sections.SPLIT)
        case _:
            return made
