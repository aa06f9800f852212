"""What a log line looks like after it was scrubbed."""

import base64
from collections.abc import Iterator

import pytest

from providers import redaction

# Shapes of the vendors' keys; every value is made up.
KEYS = {
    "openai project": "sk-proj-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7",
    "openai service account": "sk-svcacct-aB3dE6gH9jK2mN5pQ8sT",
    "openai old": "sk-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7b",
    "anthropic": "sk-ant-api03-aB3dE6gH9jK2mN5pQ8sT1vW4",
    "anthropic admin": "sk-ant-admin01-aB3dE6gH9jK2mN5pQ8sT1",
    "google": "AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1v",
    "google studio": "AQ.Ab8RN6aB3dE6gH9jK2mN5pQ8sT",
    "google oauth": "ya29.a0AfB_byaB3dE6gH9jK2mN5pQ8",
    "mistral": "Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jKa",
    "ours": "parley_pat_aB3dE6gH9jK2mN5pQ8sT",
}
PLACES = (
    "{}",
    "the key {} was refused",
    "Authorization: Bearer {}",
    "{{'x-api-key': '{}'}}",
    'headers={{"x-goog-api-key": "{}"}}',
    "GET https://example.com/v1/models?key={}&alt=sse HTTP/1.1",
    "api_key={}, model=x",
    "Error: Incorrect API key provided: {}.",
)
# No shape at all: not a length that a vendor uses.
SHAPELESS = "zx81kqplm3rt5vbn7ywc"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    redaction.forget_all()
    yield
    redaction.forget_all()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_key_of_a_known_shape_is_gone_wherever_it_stands(key: str, place: str) -> None:
    assert key not in redaction.scrub(place.format(key))


def test_a_key_without_a_shape_is_known_by_its_value_once_it_was_opened() -> None:
    line = f"upstream said: {SHAPELESS} is not valid"
    assert SHAPELESS in redaction.scrub(line)
    redaction.remember(SHAPELESS)
    assert redaction.scrub(line) == "upstream said: ******** is not valid"


def test_a_key_without_a_shape_is_gone_from_a_header_without_being_known() -> None:
    assert SHAPELESS not in redaction.scrub(f"authorization: Bearer {SHAPELESS}")


def test_a_remembered_value_is_also_found_in_base64() -> None:
    redaction.remember(SHAPELESS)
    written = base64.b64encode(SHAPELESS.encode()).decode()
    assert written not in redaction.scrub(f"kept {written}")


@pytest.mark.parametrize("word", ["k2:" + "Ab3_" * 10 + "xyz=", "k1$gAAAAABnTk3s" + "x" * 40 + "=="])
def test_a_ring_and_what_is_sealed_under_it_are_gone(word: str) -> None:
    assert word not in redaction.scrub(f"found {word} there")


@pytest.mark.parametrize(
    "word",
    [
        "0123456789abcdef0123456789abcdef",
        "7d9f4a6e-5b1c-4f0e-9a2d-3c8b7e6f5a4d",
        "Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jKaB",
        "req_Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jKa",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
    ],
)
def test_identifiers_stay(word: str) -> None:
    assert redaction.scrub(f"run {word} ended") == f"run {word} ended"


def test_a_remembered_value_is_also_found_in_a_url() -> None:
    redaction.remember("odd/key+with=signs")
    assert redaction.scrub("?x=odd%2Fkey%2Bwith%3Dsigns") == "?x=********"


def test_a_key_that_begins_with_another_leaves_no_rest() -> None:
    redaction.remember("prefix-key")
    redaction.remember("prefix-key-and-more")
    assert redaction.scrub("<prefix-key-and-more>") == "<********>"


def test_ordinary_text_stays_as_it_is() -> None:
    line = 'POST /api/v1/runs/ 202 in 14 ms; model "openai/gpt-6.2-sol", task-ant and skill-building, key rotated'
    assert redaction.scrub(line) == line


def test_short_values_are_not_remembered_because_they_would_eat_the_log() -> None:
    redaction.remember("none")
    assert redaction.scrub("none of this") == "none of this"


def test_what_is_remembered_is_bounded() -> None:
    for number in range(redaction.REMEMBERED + 1):
        redaction.remember(f"secret-number-{number:05}")
    assert redaction.scrub("secret-number-00000") == "secret-number-00000"
    assert redaction.scrub(f"secret-number-{redaction.REMEMBERED:05}") == "********"
