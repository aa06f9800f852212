"""The runtime: it says which attempt runs, opens its credential once, mends characters, and warms up in a thread."""

import logging
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import registry, runtime
from providers.contract import GenerateRequest, Message, OpenCredential, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import (
    AttemptChanged,
    Finished,
    FinishReason,
    PartDone,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolArgsDelta,
)
from providers.halves import Halves
from providers.runtime import Attempt
from providers.secrets import Secret
from tests.contract.answers import Answer
from tests.contract.dialects import DIALECTS, plugged
from tests.contract.wire import plays

REQUEST = GenerateRequest("replaced", (Message("user", (TextPart(text="hi"),)),))
OPENAI = DIALECTS[0]


async def opened(ref: str) -> OpenCredential:
    return OpenCredential("openai", ref, Secret("sk-test-0123456789"), base_url="http://vendor.test/v1")


async def forbidden(ref: str) -> OpenCredential:
    raise ProviderError(ErrorCode.MISSING_AUTH, "none", provider_id="openai")


@pytest.mark.anyio
async def test_the_attempt_is_announced_and_its_model_asked() -> None:
    attempts = [Attempt("openai", "gpt-6", "credential:7", "default"), Attempt("gemini", "next", "credential:8")]
    with plugged(plays(OPENAI.wire.render(Answer(text=("ok",))))) as wire:
        events = [event async for event in runtime.stream(attempts, REQUEST, opened)]
    assert events[0] == AttemptChanged("attempt", 1, "openai", "gpt-6", "default")
    assert isinstance(events[-1], Finished)
    assert [event for event in events if isinstance(event, AttemptChanged)] == [events[0]]
    assert wire.sent["model"] == "gpt-6"


@pytest.mark.anyio
async def test_a_credential_that_does_not_open_ends_the_run_before_any_request() -> None:
    with plugged(plays(b"")) as wire, pytest.raises(ProviderError) as caught:
        [event async for event in runtime.stream([Attempt("openai", "m", "r")], REQUEST, forbidden)]
    assert caught.value.code is ErrorCode.MISSING_AUTH
    assert wire.requests == []


@pytest.mark.anyio
async def test_a_provider_that_is_not_there_is_a_typed_error() -> None:
    with pytest.raises(ProviderError) as caught:
        await runtime.adapter("nobody")
    assert (caught.value.code, caught.value.detail) == (ErrorCode.MODEL_NOT_FOUND, "unknown_provider")


def test_every_available_adapter_can_be_warmed_up(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        thread = runtime.prewarm(provider.provider_id for provider in registry.available())
        thread.join(timeout=60)
    assert not thread.is_alive()
    assert caplog.records == []


def test_a_provider_that_cannot_be_warmed_up_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    runtime.prewarm(["nobody"]).join(timeout=10)
    assert "could not prewarm nobody" in caplog.text


@pytest.mark.parametrize("setup", ["import providers.runtime", "import django; django.setup()"])
def test_no_sdk_is_loaded_before_it_is_needed(setup: str) -> None:
    script = (
        f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'project.settings'; {setup}; import sys; "
        "print([name for name in ('openai', 'anthropic', 'google.genai', 'mistralai') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("provider_id", [provider.provider_id for provider in registry.available()])
def test_an_adapter_needs_no_django(provider_id: str) -> None:
    script = (
        f"from providers import registry; registry.runtime({provider_id!r}); import sys; "
        "print([name for name in ('django', 'channels', 'rest_framework') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# ---------------------------------------------------------------- characters in two halves
FOX = "\ud83e", "\udd8a"


def mended(*events: StreamEvent) -> list[StreamEvent]:
    halves = Halves()
    return [passed for event in events for passed in halves.pass_on(event)]


def test_a_character_in_two_deltas_is_one_character() -> None:
    assert mended(TextDelta(0, "a" + FOX[0]), TextDelta(0, FOX[1] + "b")) == [TextDelta(0, "a"), TextDelta(0, "🦊b")]


def test_halves_of_different_parts_do_not_meet() -> None:
    events = mended(TextDelta(0, FOX[0]), ToolArgsDelta(1, "c", "x"), TextDelta(0, FOX[1]))
    assert events == [ToolArgsDelta(1, "c", "x"), TextDelta(0, "🦊")]


def test_a_half_that_stays_alone_is_replaced_when_its_part_ends() -> None:
    done = PartDone(TextPart(text="x"))
    assert mended(ReasoningDelta(0, FOX[0], "full"), done) == [ReasoningDelta(0, "\ufffd", "full"), done]


def test_whole_text_passes_untouched() -> None:
    event = TextDelta(0, "naïve 🦊")
    assert mended(event)[0] is event


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.integers(min_value=0, max_value=60), max_size=6))
def test_any_cut_between_halves_heals(text: str, cuts: list[int]) -> None:
    wide = text.encode("utf-16-le")
    places = sorted({0, *(cut * 2 for cut in cuts if cut * 2 < len(wide)), len(wide)})
    pieces = [wide[start:stop].decode("utf-16-le", "surrogatepass") for start, stop in pairwise(places)]
    end = Finished(FinishReason.STOP, Message("assistant", ()))
    out = mended(*[TextDelta(0, piece) for piece in pieces], end)
    assert "".join(event.text for event in out if isinstance(event, TextDelta)) == text
