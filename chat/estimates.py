"""How many tokens a request is, roughly and at once: no tokenizer, nobody is asked. Pure.

A token is about four bytes of UTF-8 in every family, so that scripts with longer characters count for more; `FACTORS`
says which families cut finer. What a provider counted for an earlier request of the same conversation corrects the
guess, within bounds: one odd count never moves it by more than `MOST` times.
"""

import json
from collections.abc import Iterable

from providers.contract import MediaPart, Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, ToolSpec

BYTES_PER_TOKEN = 4
# Their tokenizers make more of the same text than OpenAI's and Gemini's.
FACTORS = {"anthropic": 1.25, "mistral": 1.1, "openai_compatible": 1.1}
# Roles and separators around a message.
MESSAGE_TOKENS = 4
# A picture, or a document that comes without its text, whatever its size in bytes.
MEDIA_TOKENS = 1_500
LEAST, MOST = 0.5, 3.0


def of_text(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def of_part(part: Part) -> int:
    match part:
        case TextPart(text=text) | ReasoningPart(text=text):
            return of_text(text)
        case ToolCallPart(name=name, arguments=arguments):
            return of_text(name) + of_text(arguments)
        case ToolResultPart(content=content):
            return of_text(content)
        case MediaPart(text=text):
            return of_text(text) if text else MEDIA_TOKENS
    return 0


def of_messages(messages: Iterable[Message]) -> int:
    """The guess for these messages, before any factor."""
    return sum(MESSAGE_TOKENS + sum(of_part(part) for part in message.parts) for message in messages)


def of_tools(tools: Iterable[ToolSpec]) -> int:
    """The guess for these definitions: each provider counts them with every request."""
    return sum(of_text(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}") for tool in tools)


def factor(provider_id: str, guessed: int = 0, counted: int = 0) -> float:
    """What a guess is multiplied with for this provider. `guessed` and `counted` are the tokens of an earlier request
    to it, as they were guessed and as the provider counted them; without them the family's own factor holds."""
    if guessed > 0 and counted > 0:
        return min(MOST, max(LEAST, counted / guessed))
    return FACTORS.get(provider_id, 1.0)
