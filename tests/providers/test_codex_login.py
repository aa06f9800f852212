"""The page of a Codex login on this machine, as alice (owner) and bob (member) find it."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEntry
from accounts.policies import Actor
from providers import credentials
from providers.models import Credential
from tests.providers.people import page_client
from tests.providers.test_session_files import signed

pytestmark = pytest.mark.django_db

PAGE, IMPORT, SETTINGS = "/settings/providers/codex/", "/settings/providers/codex/import/", "/settings/providers/"
KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
ABOUT = {"https://api.openai.com/auth": {"chatgpt_plan_type": "pro"}, "email": "u@example.test"}


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """The operator allows it, and there is no login yet."""
    settings.CODEX_LOGIN, settings.CODEX_HOME = True, str(tmp_path)
    return tmp_path


def written(home: Path, told: Any) -> None:
    file = home / "auth.json"
    file.write_text(json.dumps(told))
    file.chmod(0o600)


def tokens(end: float) -> dict[str, Any]:
    held = {"id_token": signed(**ABOUT), "access_token": signed(exp=end), "refresh_token": "rt_FAKE"}
    return {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": held}


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, ["No login found", "PARLEY_CODEX_HOME"]),
        (["nonsense"], ["A login that cannot be read", "chmod 600"]),
        (tokens(4e9), ["Signed in with ChatGPT, without an API key", "u@example.test", "pro", "are not taken"]),
        (tokens(1.0), ["A login that has expired, without an API key", "Expired 1 Jan 1970"]),
    ],
)
def test_what_is_there_is_said_and_without_a_key_nothing_can_be_imported(
    alice: Actor, home: Path, told: Any, words: list[str]
) -> None:
    if told is not None:
        written(home, told)
    client = page_client(alice)
    answer = client.get(PAGE)
    for one in words:
        assert one in text_of(answer)
    assert "Import the key" not in answer.content.decode()
    assert "rt_FAKE" not in answer.content.decode()
    assert "There is no API key in the login any more." in text_of(client.post(IMPORT, follow=True))
    assert not Credential.objects.exists()


def test_a_key_is_taken_over_checked_and_never_shown(alice: Actor, home: Path, vendors: str) -> None:
    written(home, {"auth_mode": "apikey", "OPENAI_API_KEY": KEY})
    before = (home / "auth.json").read_bytes()
    client = page_client(alice)
    page = client.get(PAGE)
    assert "sk-proj-…4f2a" in text_of(page)
    answer = client.post(IMPORT, follow=True)
    assert answer.redirect_chain == [(f"{SETTINGS}#p-openai", 302)]
    assert "The key of the Codex login is now yours here, and OpenAI accepted it." in text_of(answer)
    row = Credential.objects.get()
    assert (row.user_id, row.provider_id, row.kind, row.state) == (alice.user_id, "openai", "api_key", "working")
    assert credentials.open_ref(f"credential:{row.pk}").secret.reveal() == KEY
    assert AuditEntry.objects.filter(action="credential.stored").exists()
    assert KEY not in page.content.decode() + answer.content.decode()
    assert (home / "auth.json").read_bytes() == before
    assert "in the place of the one that you have" in text_of(client.get(PAGE))


def test_a_key_that_cannot_be_kept_says_why(alice: Actor, home: Path) -> None:
    written(home, {"OPENAI_API_KEY": "two words"})
    said = text_of(page_client(alice).post(IMPORT, follow=True))
    assert "The key in the login cannot be kept. A key has only plain letters" in said
    assert not Credential.objects.exists()


def test_only_an_administrator_at_this_machine_sees_it_where_the_operator_allows_it(
    alice: Actor, bob: Actor, home: Path, settings: Any
) -> None:
    written(home, {"OPENAI_API_KEY": KEY})
    link = f'href="{PAGE}"'
    assert link in page_client(alice).get(SETTINGS).content.decode()
    away = {"x-forwarded-for": "192.0.2.7"}
    for actor, allowed, headers in ((alice, False, {}), (alice, True, away), (bob, True, {})):
        settings.CODEX_LOGIN = allowed
        client = page_client(actor)
        assert link not in client.get(SETTINGS, headers=headers).content.decode()
        answer = client.get(PAGE, headers=headers)
        assert (answer.status_code, "PARLEY_CODEX_LOGIN" in text_of(answer)) == (403, True)
        assert client.post(IMPORT, headers=headers).status_code == 403
    assert not Credential.objects.exists()
