"""What may be pasted as a key or a base URL."""

import pytest

from providers import pasted
from providers.secrets import hint


def test_blanks_around_a_key_are_the_clipboard_s_and_go() -> None:
    assert pasted.key("  sk-test-12345678\n") == "sk-test-12345678"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "short",
        "x" * 513,
        "two words1",
        "line\nbreak1",
        "tab\there1",
        "zero\u200bwidth",
        "кириллица",
        "nul\x00byte1",
    ],
)
def test_what_cannot_be_a_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(pasted.Refused) as refused:
        pasted.key(text)
    assert not text.strip() or text.strip() not in str(refused.value)


@pytest.mark.parametrize("token", ["sk-ant-oat01-abcdefghijklmnop", "sk-ant-ort01-abcdefghijklmnop"])
def test_subscription_tokens_are_refused_with_the_reason(token: str) -> None:
    with pytest.raises(pasted.Refused, match="terms forbid"):
        pasted.key(token)


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.example.com/v1",
        "https://models.example.com:8443",
        "https://8.8.8.8/v1",
    ],
)
def test_a_public_https_address_is_a_base_url(url: str) -> None:
    assert pasted.base_url(url + "/", private_allowed=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "https://",
        "gateway.example.com",
        "https://name:word@example.com",
        "https://example.com/?key=1",
        "https://example.com/#part",
        "https://example.com:notaport",
        "https://[::1",
        "javascript:alert(1)",
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::169.254.169.254]/",
    ],
)
def test_other_things_are_not_even_on_one_s_own_machine(url: str) -> None:
    with pytest.raises(pasted.Refused):
        pasted.base_url(url, private_allowed=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.example.com",
        "https://localhost:11434",
        "https://127.0.0.1/v1",
        "https://10.0.0.8/v1",
        "https://[::1]/v1",
        "https://[::ffff:10.0.0.1]/v1",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost./",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:0a00:0001::]/",
        "https://intranet/v1",
        "https://models.internal/v1",
    ],
)
def test_an_installation_for_others_refuses_private_addresses_that_one_s_own_machine_allows(url: str) -> None:
    with pytest.raises(pasted.Refused):
        pasted.base_url(url, private_allowed=False)
    assert pasted.base_url(url, private_allowed=True) == url.rstrip("/")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-proj-abcdefghijklmnopqrst4f2a", "sk-proj-…4f2a"),
        ("sk-ant-api03-abcdefghijklmnop9c1e", "sk-ant-…9c1e"),
        ("sk-abcdefghijklmnopqrstb07d", "sk-…b07d"),
        ("550e8400-e29b-41d4-a716-446655440000", "…0000"),
        ("Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jKa", "…4jKa"),
        ("sk-short", "…"),
    ],
)
def test_a_hint_shows_the_public_prefix_and_four_characters(key: str, shown: str) -> None:
    assert hint(key) == shown
