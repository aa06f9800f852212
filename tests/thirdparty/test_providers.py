"""A package brings a provider that this code does not know; a bad one is left out and disturbs nobody."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from catalog import sync
from catalog.models import LanguageModel
from providers import checks, http, registry, runtime
from providers.contract import GenerateRequest, Message, OpenCredential, TextPart
from providers.database import in_database
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, FinishReason, TextDelta
from providers.models import ProviderHealth
from providers.secrets import Secret
from tests.thirdparty.conftest import Install

OURS = ["openai", "anthropic", "gemini", "mistral", "openai_compatible"]
KEY = "acme-key-0123456789"
SAID = b'{"say": "Hel"}\n{"say": "lo"}\n{"end": "done"}\n'
LINE = 'from providers.registry import Provider\nLINE = Provider("{id}", "Broken", "B", "{adapter}")\n'


def vendor(request: httpx2.Request) -> httpx2.Response:
    if request.headers.get("x-acme-key") != KEY:
        return httpx2.Response(401)
    if request.url.path == "/models":
        return httpx2.Response(200, json={"acme-one": 8192, "acme-two": None})
    return httpx2.Response(200, content=SAID if b"cut" not in request.content else SAID[:15])


@pytest.fixture
def wire() -> Iterator[None]:
    with http.use(http.make(httpx2.MockTransport(vendor))):
        yield


async def opened(ref: str, key: str = KEY) -> OpenCredential:
    return OpenCredential("acme", ref, Secret(key), base_url="http://acme.test")


def asked(text: str = "hi") -> GenerateRequest:
    return GenerateRequest("acme-one", (Message("user", (TextPart(text=text),)),))


@pytest.mark.usefixtures("acme")
def test_it_is_registered_behind_ours_without_being_imported() -> None:
    assert list(registry.providers()) == [*OURS, "acme"]
    assert registry.providers()["acme"].label == "Acme"


@pytest.mark.anyio
@pytest.mark.usefixtures("acme", "wire")
async def test_its_models_are_listed_and_its_answer_streams() -> None:
    adapter = await runtime.adapter("acme")
    assert [model.model_id for model in await adapter.list_models(await opened("acme"))] == ["acme-one", "acme-two"]
    attempts = [runtime.Attempt("acme", "acme-one", "acme")]
    events = [event async for event in runtime.stream(attempts, asked(), opened)]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello"
    end = events[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.message.parts[0]) == (
        FinishReason.STOP,
        TextPart(text="Hello", origin=(await opened("acme")).origin("acme-one")),
    )


@pytest.mark.anyio
@pytest.mark.usefixtures("acme", "wire")
async def test_it_gets_deadlines_classes_of_error_and_honest_endings_for_nothing() -> None:
    adapter = await runtime.adapter("acme")
    with pytest.raises(ProviderError) as cut:
        await adapter.generate(await opened("acme"), asked("cut"))
    assert (cut.value.code, cut.value.detail) == (ErrorCode.PROVIDER_UNAVAILABLE, "stream_truncated")
    check = await adapter.validate_credential(await opened("acme", "another-key-0123456789"))
    assert check.error is not None
    assert check.error.code is ErrorCode.INVALID_AUTH


@pytest.fixture
def installed(acme: None, wire: None, settings: Any) -> None:
    """The installation has a key of it."""
    settings.PROVIDER_KEYS = {**settings.PROVIDER_KEYS, "acme": KEY}
    settings.PROVIDER_BASE_URLS = {**settings.PROVIDER_BASE_URLS, "acme": "http://acme.test"}


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("installed")
async def test_its_health_is_checked_and_its_models_enter_the_catalog() -> None:
    check = await checks.check("environment:acme")
    assert (check.ok, check.model_count) == (True, 2)
    assert await in_database(ProviderHealth.objects.filter(provider_id="acme").exists)
    outcome = await sync.sync_provider("acme")
    assert (outcome.model_count, outcome.error) == (2, "")
    rows = await in_database(lambda: list(LanguageModel.objects.filter(provider_id="acme").order_by("model_id")))
    assert [(row.model_id, row.context_window) for row in rows] == [("acme-one", 8192), ("acme-two", None)]


@pytest.mark.parametrize(
    "source",
    [
        "import a_module_that_nobody_has",
        "LINE = 1 / 0",
        "raise SystemExit(3)",
        "class Odd(Exception): ...\nraise Odd",
        "this is no Python",
        "OTHER = 1",
        "LINE = 'a word'",
        LINE.format(id="openai", adapter="broken_provider:Adapter"),
        LINE.format(id="Not A Name", adapter="broken_provider:Adapter"),
        LINE.format(id="acme", adapter="no dots"),
    ],
    ids=["import", "division", "exit", "own error", "syntax", "name", "type", "taken", "bad id", "bad adapter"],
)
def test_a_bad_package_is_left_out_and_named_in_the_log(
    broken: Install, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    broken(source)
    assert list(registry.providers()) == OURS
    assert registry.providers()["openai"] is registry.BUILT_IN[0]
    assert "The provider package broken_provider:LINE is left out." in caplog.text


@pytest.mark.anyio
async def test_an_adapter_that_cannot_be_imported_is_an_ordinary_failure(broken: Install) -> None:
    broken(LINE.format(id="acme", adapter="broken_provider:Missing"))
    with pytest.raises(ProviderError) as caught:
        await runtime.adapter("acme")
    assert (caught.value.code, caught.value.detail) == (ErrorCode.PROVIDER_UNAVAILABLE, "adapter_broken")
