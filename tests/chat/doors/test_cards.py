"""Failures as cards: each names what happened and carries the button that fixes it."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from chat.render.cards import Card, Place, card
from chat.render.names import By
from providers.errors import ErrorCode

PLACE = Place(uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3))
AT = datetime(2026, 11, 22, 14, 6, 21, tzinfo=UTC)
BY = By("openai/gpt-x", "GPT X")
AGAIN = f"answer:{PLACE.parent_id}"
ON = f"continue:{PLACE.answer_id}"


def made(code: str, *, partial: bool = False, **data: Any) -> Card:
    return card({"code": code, "provider_id": "openai", **data}, BY, PLACE, AT, partial=partial)


@pytest.mark.parametrize("code", list(ErrorCode))
@pytest.mark.parametrize("partial", [False, True])
def test_every_code_has_words_and_a_way_out(code: ErrorCode, partial: bool) -> None:
    shown = made(code.value, partial=partial)
    assert shown.title
    assert len(shown.title.split()) <= 9
    assert "{" not in shown.title + shown.sentence
    assert 1 <= len(shown.buttons) <= 3
    assert all(bool(button.do) + bool(button.href) + bool(button.pick) == 1 for button in shown.buttons)


def test_a_missing_key_links_to_the_place_where_one_is_added() -> None:
    shown = made("missing_auth")
    assert shown.title == "No key for OpenAI yet"
    assert shown.buttons[0].label == "Add an OpenAI key"
    assert shown.buttons[0].href == "/settings/providers/#p-openai"
    assert shown.buttons[1].do == AGAIN


def test_without_any_provider_it_says_so() -> None:
    shown = card({"code": "missing_auth", "provider_id": ""}, By(), PLACE, AT, partial=False)
    assert shown.title == "No provider is connected yet"
    assert shown.buttons[0].label == "Connect a provider"


def test_a_limit_counts_down_and_sends_nothing_by_itself() -> None:
    shown = made("rate_limited", retry_after=38)
    assert shown.sentence == "It accepts requests again in 38 s. Your message is kept."
    assert shown.buttons[0].do == AGAIN
    assert shown.buttons[0].wait_until == AT.timestamp() + 38


@pytest.mark.parametrize("code", ["provider_unavailable", "timeout", "interrupted"])
def test_a_cut_answer_can_be_continued(code: str) -> None:
    shown = made(code, partial=True)
    assert shown.title == "The answer was cut off"
    assert [button.do for button in shown.buttons[:2]] == [ON, AGAIN]


def test_a_provider_that_never_spoke_is_tried_again() -> None:
    shown = made("provider_unavailable")
    assert shown.title == "OpenAI is not responding"
    assert shown.buttons[0].do == AGAIN


def test_a_declined_message_can_be_edited() -> None:
    assert made("content_blocked").buttons[0].href == f"/c/{PLACE.conversation_id}/?edit={PLACE.parent_id}"
