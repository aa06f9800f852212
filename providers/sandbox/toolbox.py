"""When the sandbox calls which tool, and with what in its arguments; rules a person can predict from the prompt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from providers.sandbox.asks import Ask, Tool

MOST_CALLS = 8

_ANY = re.compile(r"\b(use|call|run|try|invoke)\b[^.?!]*\b(tool|function)s?\b", re.IGNORECASE)
_ALL = re.compile(r"\b(tools|functions|both|all)\b", re.IGNORECASE)
_TWICE = re.compile(r"\b(twice|in parallel)\b", re.IGNORECASE)
_STEPS = re.compile(r"\b(then|afterwards|after that|step by step)\b", re.IGNORECASE)
_SPECIALISTS = re.compile(r"\bspecialists\b", re.IGNORECASE)
_DELEGATE = "delegate_"
_QUOTED = re.compile(r"[\"“`]([^\"”`\n]{1,80})[\"”`]")
_PLACE = re.compile(r"\b(?:in|for|of|at|about)\s+([A-Z][\w-]*(?:(?:,\s*|\s+and\s+|\s+)[A-Z][\w-]*)*)")


@dataclass(frozen=True, slots=True)
class Use:
    """One call to come; `hint` is the text for its arguments, empty when the prompt names none."""

    tool: Tool
    hint: str = ""


def uses(ask: Ask, text: str) -> Sequence[Use]:
    """The calls to make now: all at once, or one by one when the prompt says "then" or parallel calls are off."""
    if not ask.tools or ask.tool_choice == "none":
        return ()
    wanted = _wanted(ask, text)[:MOST_CALLS]
    done = len(ask.results)
    if _STEPS.search(text) or not ask.parallel:
        return wanted[done : done + 1]
    return () if done else wanted


def hints(text: str) -> list[str]:
    """What the prompt is about: quoted phrases, else capitalised words after in, for, of, at or about."""
    quoted = _QUOTED.findall(text)
    found = _PLACE.search(text)
    return quoted or (re.split(r",\s*|\s+and\s+", found[1]) if found else [])


def _wanted(ask: Ask, text: str) -> list[Use]:
    tools = _tools(ask, text)
    about = hints(text)
    if tools and all(tool.name.startswith(_DELEGATE) for tool in tools):
        # A task is all that a specialist sees.
        return [Use(tool, about[0] if about else text) for tool in tools]
    if len(tools) != 1:
        return [Use(tool, about[0] if about else "") for tool in tools]
    if len(about) > 1:
        return [Use(tools[0], hint) for hint in about]
    once = Use(tools[0], about[0] if about else "")
    return [once, once] if _TWICE.search(text) else [once]


def _tools(ask: Ask, text: str) -> list[Tool]:
    if ask.tool_choice not in {"auto", "required"}:
        return [tool for tool in ask.tools if tool.name == ask.tool_choice]
    if _SPECIALISTS.search(text) and (team := [tool for tool in ask.tools if tool.name.startswith(_DELEGATE)]):
        return team
    named = [tool for tool in ask.tools if _mentioned(tool, text)]
    if named:
        return named
    if _ANY.search(text):
        return list(ask.tools) if _ALL.search(text) else [ask.tools[0]]
    return [ask.tools[0]] if ask.tool_choice == "required" else []


def _mentioned(tool: Tool, text: str) -> bool:
    """By its name, or by a telling word of it: `get_weather` is meant by "weather"."""
    said = text.lower()
    words = [word for word in re.split(r"[^a-z]+", tool.name.lower()) if len(word) >= 5]
    return tool.name.lower() in said or any(re.search(rf"\b{word}", said) for word in words)
