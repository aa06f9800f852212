"""Any model goes on with any other's conversation: every pair of providers, every feature, and not one refused request.

Each cell is a conversation that really ran: provider A answers through its SDK against the sandbox, whose wires refuse
what the vendors refuse; provider B goes on with that history, and A comes back.
"""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import httpx2

from providers import http, registry
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    OpenCredential,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from providers.errors import ProviderError
from providers.events import Finished
from providers.sandbox.app import Sandbox
from providers.secrets import Secret
from providers.sources import SANDBOX_PATHS

# One that reasons and another of the same family.
MODELS = {
    "openai": ("gpt-sandbox-reasoning", "gpt-sandbox"),
    "anthropic": ("claude-sandbox-opus", "claude-sandbox-haiku"),
    "gemini": ("gemini-sandbox-pro", "gemini-sandbox-flash"),
    "mistral": ("magistral-sandbox", "mistral-sandbox-large"),
    "openai_compatible": ("compatible-sandbox", "compatible-sandbox"),
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolSpec("get_weather", "Tells the weather.", CITY)
MOST_STEPS = 5


def png() -> bytes:
    """One grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\x00\x80")) + chunk(b"IEND", b"")
    )


@dataclass(frozen=True, slots=True)
class Feature:
    """What is asked each time, and what the answer must hold to prove that it was understood."""

    question: tuple[TextPart | MediaPart, ...]
    proof: str
    over: dict[str, Any] = field(default_factory=dict)


TOOLS = {"tools": (WEATHER,)}
FEATURES = {
    "text": Feature((TextPart(text="Write a table. 東京 🦊"),), "You wrote"),
    "image": Feature((TextPart(text="See"), MediaPart(media_type="image/png", data=png())), "I received an image"),
    "tool": Feature((TextPart(text='The weather in "Oslo"'),), "1 tool result", TOOLS),
    "parallel": Feature((TextPart(text="weather in Oslo, Paris, Rome"),), "3 tool results", TOOLS),
    "reasoning": Feature(
        (TextPart(text='The weather in "Oslo", then in "Paris"'),),
        "2 tool results",
        {**TOOLS, "reasoning_effort": "high"},
    ),
}


@dataclass(frozen=True, slots=True)
class Party:
    """A model with the key it is asked with."""

    provider_id: str
    model_id: str
    key: str = "sandbox-key-org-one"

    @property
    def credential(self) -> OpenCredential:
        address = f"http://127.0.0.1{SANDBOX_PATHS[self.provider_id]}"
        return OpenCredential(self.provider_id, f"credential:{self.key}", Secret(self.key), base_url=address)

    @property
    def sibling(self) -> "Party":
        return replace(self, model_id=MODELS[self.provider_id][1])


def party(provider_id: str) -> Party:
    return Party(provider_id, MODELS[provider_id][0])


@asynccontextmanager
async def stage() -> AsyncIterator[None]:
    """The house's HTTP client leads to a sandbox in this process."""
    async with http.make(httpx2.ASGITransport(app=Sandbox(pace=0))) as client:
        with http.use(client):
            yield


# ---------------------------------------------------------------- conversations
async def step(who: Party, told: Sequence[Message], over: dict[str, Any]) -> Finished:
    request = GenerateRequest(who.model_id, tuple(told), **{"system": "Be brief.", **over})
    return await registry.runtime(who.provider_id).generate(who.credential, request)


def results(message: Message) -> Message:
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    answers = (ToolResultPart(call_id=call.call_id, name=call.name, content='{"sky": "blue"}') for call in calls)
    return Message("tool", tuple(answers))


async def answer(parties: Sequence[Party], told: list[Message], feature: Feature) -> str:
    """Ask once and go on until there are words; each step of the tool loop is the next party's. Returns the words."""
    told.append(Message("user", feature.question))
    for number in range(MOST_STEPS):
        end = await step(parties[min(number, len(parties) - 1)], told, feature.over)
        told.append(end.message)
        if not any(isinstance(part, ToolCallPart) for part in end.message.parts):
            return "".join(part.text for part in end.message.parts if isinstance(part, TextPart))
        told.append(results(end.message))
    return ""


async def switched(first: Party, second: Party, feature: Feature) -> bool:
    """A answers, B goes on, A comes back."""
    told: list[Message] = []
    said = [await answer([who], told, feature) for who in (first, second, first)]
    return all(feature.proof in words for words in said)


async def handed_over(first: Party, second: Party) -> bool:
    """B goes on in the middle of A's tool loop, and A ends it; then both once more."""
    told: list[Message] = []
    feature = FEATURES["reasoning"]
    said = [await answer(loop, told, feature) for loop in ([first, second, first], [second, first, second])]
    return all(feature.proof in words for words in said)


# ---------------------------------------------------------------- changes after reasoning
type Change = Callable[[Party, list[Message]], tuple[Party, list[Message], dict[str, Any]]]

FIRST = Message("user", (TextPart(text="Something else"),))
CHANGES: dict[str, Change] = {
    "edit": lambda who, told: (who, [FIRST, *told[1:]], {}),
    "branch": lambda who, told: (who, told[: len(told) // 2], {}),
    "shortened": lambda who, told: (who, told[len(told) // 2 :], {}),
    "system": lambda who, told: (who, told, {"system": "Be long."}),
    "credential": lambda who, told: (replace(who, key="sandbox-key-org-two"), told, {}),
    "model": lambda who, told: (who.sibling, told, {}),
    "no reasoning": lambda who, told: (who, told, {"reasoning_effort": "none"}),
}


async def changed(who: Party, change: Change) -> bool:
    """Two reasoned tool loops; then something about the conversation is another, and it goes on twice more."""
    feature = FEATURES["reasoning"]
    told: list[Message] = []
    for _ in range(2):
        await answer([who], told, feature)
    reasoned = any(isinstance(part, ReasoningPart) for message in told for part in message.parts)
    after, kept, over = change(who, told)
    then = replace(feature, over=feature.over | over)
    said = [await answer([after], kept, then), await answer([who], kept, feature)]
    return reasoned and all(feature.proof in words for words in said)


async def rekeyed(who: Party) -> bool:
    """The key, and with it the account, changes in the middle of a tool loop and back again."""
    other = replace(who, key="sandbox-key-org-two")
    feature = FEATURES["reasoning"]
    return feature.proof in await answer([who, other, who], [], feature)


# ---------------------------------------------------------------- the table
@dataclass(frozen=True, slots=True)
class Cell:
    row: str
    column: str
    what: str
    failure: str = ""


def cells() -> Iterator[tuple[Cell, Callable[[], Awaitable[bool]]]]:
    for first, second in product(MODELS, MODELS):
        one, two = party(first), party(second)
        if one == two:
            two = one.sibling
        for name, feature in FEATURES.items():
            yield Cell(first, second, name), partial(switched, one, two, feature)
        yield Cell(first, second, "in mid-loop"), partial(handed_over, one, two)
    for provider_id in MODELS:
        who = party(provider_id)
        for name, change in CHANGES.items():
            yield Cell(provider_id, "changed", name), partial(changed, who, change)
        yield Cell(provider_id, "changed", "credential in mid-loop"), partial(rekeyed, who)


async def run() -> list[Cell]:
    """Every cell, with what went wrong in it."""
    found = []
    async with stage():
        for cell, conversation in cells():
            try:
                failure = "" if await conversation() else "the answer does not show what was asked"
            except ProviderError as error:
                failure = f"{error.code} {error.status}: {error.message}"
            found.append(replace(cell, failure=failure))
    return found


def table(found: Sequence[Cell]) -> str:
    columns = [*MODELS, "changed"]
    head = f"{'A':20}" + "".join(f"{name:>19}" for name in columns)
    lines = ["A, then B, then A again: conversations without a refused request", "", head]
    for row in MODELS:
        there = [[cell for cell in found if (cell.row, cell.column) == (row, column)] for column in columns]
        passed = [f"{sum(not cell.failure for cell in group)}/{len(group)}" for group in there]
        lines.append(f"{row:20}" + "".join(f"{text:>19}" for text in passed))
    lines += [f"{cell.row} > {cell.column} > {cell.what}: {cell.failure}" for cell in found if cell.failure]
    good = sum(not cell.failure for cell in found)
    return "\n".join([*lines, "", f"{good} of {len(found)} conversations went on without a refused request"])


def main(arguments: Sequence[str] = ()) -> int:
    found = asyncio.run(run())
    print(table(found))
    return int(any(cell.failure for cell in found))
