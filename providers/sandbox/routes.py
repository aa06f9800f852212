"""Which address means what: the method and path of a request to a wire and what it wants from it."""

import re
from dataclasses import dataclass
from typing import Literal

from providers.sandbox.wires import Wire
from providers.sandbox.wires.anthropic import AnthropicWire
from providers.sandbox.wires.chat_completions import ChatWire
from providers.sandbox.wires.gemini import GeminiWire
from providers.sandbox.wires.mistral import MistralWire
from providers.sandbox.wires.responses import ResponsesWire

_RESPONSES, _GEMINI = ResponsesWire(), GeminiWire()
_ANTHROPIC, _MISTRAL = AnthropicWire(), MistralWire()
_OPENAI_CHAT, _COMPATIBLE = ChatWire("openai"), ChatWire("openai_compatible")


@dataclass(frozen=True, slots=True)
class Route:
    """`kind` is models or generate; `model` and `stream` are set where the path says them."""

    wire: Wire
    kind: Literal["models", "generate"]
    model: str = ""
    stream: bool = False


_FIXED: dict[tuple[str, str], Route] = {
    ("POST", "/openai/v1/responses"): Route(_RESPONSES, "generate"),
    ("POST", "/openai/v1/chat/completions"): Route(_OPENAI_CHAT, "generate"),
    ("GET", "/openai/v1/models"): Route(_OPENAI_CHAT, "models"),
    ("POST", "/anthropic/v1/messages"): Route(_ANTHROPIC, "generate"),
    ("GET", "/anthropic/v1/models"): Route(_ANTHROPIC, "models"),
    ("POST", "/mistral/v1/chat/completions"): Route(_MISTRAL, "generate"),
    ("GET", "/mistral/v1/models"): Route(_MISTRAL, "models"),
    ("POST", "/compatible/v1/chat/completions"): Route(_COMPATIBLE, "generate"),
    ("GET", "/compatible/v1/models"): Route(_COMPATIBLE, "models"),
}
_BY_FOLDER: dict[str, Wire] = {
    "openai": _OPENAI_CHAT,
    "anthropic": _ANTHROPIC,
    "compatible": _COMPATIBLE,
    "mistral": _MISTRAL,
}
_OPENAI_MODEL = re.compile(r"/(openai|anthropic|compatible|mistral)/v1/models/([\w.:-]{1,200})")
_GEMINI_LIST = re.compile(r"/gemini/v1(?:beta)?/models(?:/([\w.-]{1,200}))?")
_GEMINI_CALL = re.compile(r"/gemini/v1(?:beta)?/models/([\w.-]{1,200}):(generateContent|streamGenerateContent)")


def route(method: str, path: str) -> Route | None:
    fixed = _FIXED.get((method, path))
    if fixed is not None:
        return fixed
    if method == "POST" and (call := _GEMINI_CALL.fullmatch(path)):
        return Route(_GEMINI, "generate", call[1], call[2] == "streamGenerateContent")
    if method == "GET" and (listing := _GEMINI_LIST.fullmatch(path)):
        return Route(_GEMINI, "models", listing[1] or "")
    if method == "GET" and (one := _OPENAI_MODEL.fullmatch(path)):
        return Route(_BY_FOLDER[one[1]], "models", one[2])
    return None
