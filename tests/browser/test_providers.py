"""Every vendor's own SDK against the sandbox, as a member meets it: a chat and a validated object, in a browser."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.faults.servers import Sandbox

type Visit = Callable[..., Visitor]
PATIENCE = 30_000
# provider: (what is typed in the picker, the model's name on a page, its id, the end of the vendor's address)
MODELS = {
    "openai": ("gpt sandbox", "gpt-sandbox", "gpt-sandbox", "/v1/responses"),
    "anthropic": ("claude haiku", "Claude Sandbox Haiku", "claude-sandbox-haiku", "/v1/messages"),
    "gemini": ("gemini flash", "Gemini Sandbox Flash", "gemini-sandbox-flash", ":streamGenerateContent"),
    "mistral": ("mistral small", "mistral-sandbox-small", "mistral-sandbox-small", "/chat/completions"),
}


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect(AUTO_TITLES="0")


def reached(vendor: Sandbox, provider_id: str) -> dict[str, Any]:
    """The last request for an answer, which must have gone to this vendor's own wire."""
    last = vendor.requests()[-1]
    assert (last["provider"], last["outcome"]) == (provider_id, "completed"), last
    assert last["path"].endswith(MODELS[provider_id][3]), last
    return last


@pytest.mark.parametrize("provider_id", MODELS)
def test_a_chat_and_a_validated_object_with_each_vendor(arrive: Visit, vendor: Sandbox, provider_id: str) -> None:
    words, label, model_id, _ = MODELS[provider_id]
    me = arrive("/")
    page = me.page
    page.locator("[data-open-picker]").click()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Message", exact=True).fill('Use clock for "Europe/Oslo", then show a table')
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    done = page.locator(".turn:last-child:not([aria-busy]):not(.turn--you)")
    expect(done).to_have_count(1, timeout=PATIENCE)
    expect(done.locator(".by")).to_contain_text(label)
    expect(done.locator(".by")).to_contain_text("tokens")
    expect(done).to_contain_text("(Europe/Oslo)")
    body = json.dumps(reached(vendor, provider_id)["body"])
    assert "(Europe/Oslo)" in body, "the tool's result went back over the vendor's wire"
    me.assert_accessible()

    me.go("/structured/")
    page.get_by_role("button", name="An invoice").click()
    expect(page.get_by_label("Schema")).to_have_value(re.compile("currency"))
    page.get_by_label("Model").select_option(f"{provider_id}/{model_id}")
    page.get_by_role("button", name="Generate").click()
    output = page.get_by_role("region", name="Output", exact=True)
    expect(output.locator(".badge--ok")).to_have_text("Valid", timeout=PATIENCE)
    assert set(json.loads(output.locator("figure.code pre").inner_text())) == {"number", "currency", "lines"}
    assert "currency" in json.dumps(reached(vendor, provider_id)["body"]), "the schema went over the wire"
