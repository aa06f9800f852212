"""A failure as a card: what happened, what became of the message, and the buttons that fix it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from chat.protocol import LIMIT_REACHED
from chat.render.citations import Cited
from chat.render.names import By
from providers.errors import REMEDIES, ErrorCode
from providers.registry import providers

CUT_OFF = frozenset({ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Button:
    """A way out. `do` is posted by the page's action form, `href` is a link, `pick` opens the model picker."""

    label: str
    do: str = ""
    href: str = ""
    pick: str = ""
    wait_until: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Which turn a card stands in: the ids that its buttons act on.

    `parent_id` is the question, or the answer that this one continues (`asked` is false then).
    """

    conversation_id: UUID
    parent_id: UUID | None
    answer_id: UUID
    asked: bool = True

    @property
    def again(self) -> str:
        return f"{'answer' if self.asked else 'continue'}:{self.parent_id}"

    @property
    def on(self) -> str:
        return f"continue:{self.answer_id}"

    @property
    def other(self) -> "Button":
        return Button("Choose another model", pick=self.again)

    @property
    def edit_url(self) -> str:
        query = urlencode({"edit": self.parent_id or ""})
        return f"{reverse('chat:conversation', args=[self.conversation_id])}?{query}"

    @property
    def cited(self) -> None:
        """What a message says is no page of a document."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The same for an answer about a document: `cited` are its pages. Such an answer is not continued."""

    document_id: UUID
    run_id: UUID
    cited: Cited
    on = ""

    @property
    def again(self) -> str:
        return f"again:{self.run_id}"

    @property
    def other(self) -> "Button":
        return Button("Choose another model", href=self.edit_url)

    @property
    def edit_url(self) -> str:
        return f"{reverse('chat:document', args=[self.document_id])}?again={self.run_id}#ask"


@dataclass(frozen=True, slots=True)
class Card:
    code: str
    title: str
    sentence: str
    buttons: tuple[Button, ...]
    at: datetime
    detail: str = ""
    request_id: str = ""


def card(error: Mapping[str, Any], by: By, place: Place | Desk, at: datetime, *, partial: bool) -> Card:
    """The card of an `error` event. `partial` says that some of the answer arrived, `at` is when the run ended."""
    code = ErrorCode(error["code"])
    provider_id = error.get("provider_id") or by.provider_id
    known = providers().get(provider_id)
    words = {
        "provider": known.label if known else by.provider_label or "the provider",
        "model": by.label or "the model",
    }
    title, sentence = _words(code, words, partial=partial, connected=bool(provider_id))
    if error.get("detail") == LIMIT_REACHED:
        title, sentence = "A limit is reached", str(error["message"])
    elif wait := error.get("retry_after"):
        sentence = f"It accepts requests again in {round(wait)} s. Your message is kept."
    return Card(
        code.value,
        title,
        sentence,
        _buttons(code, error, provider_id, words, place, at, partial=partial),
        at,
        str(error.get("detail") or ""),
        str(error.get("request_id") or ""),
    )


def _words(code: ErrorCode, words: Mapping[str, str], *, partial: bool, connected: bool) -> tuple[str, str]:
    if code == ErrorCode.MISSING_AUTH and not connected:
        return "No provider is connected yet", "Your message is kept. Connect a provider, then send it again."
    if partial and code in CUT_OFF and code != ErrorCode.INTERRUPTED:
        return "The answer was cut off", f"{words['provider']} stopped sending. What arrived is kept."
    remedy = REMEDIES[code]
    return remedy.title.format_map(words), remedy.sentence.format_map(words)


def _buttons(
    code: ErrorCode, error: Mapping[str, Any], provider_id: str, words: Mapping[str, str], place: Place | Desk,
    at: datetime, *, partial: bool,
) -> tuple[Button, ...]:  # fmt: skip
    again, other = Button("Try again", do=place.again), place.other
    if partial and code in CUT_OFF and place.on:
        return Button("Continue the answer", do=place.on), Button("Start again", do=place.again), other
    remedy = REMEDIES[code]
    label = _article(remedy.label.format_map(words))
    match remedy.action:
        case "add_key" | "replace_key" | "renew_session":
            fix = label if provider_id else "Connect a provider"
            return Button(fix, href=f"{reverse('providers:settings')}#p-{provider_id}"), again, other
        case "choose_model" if code == ErrorCode.CONTEXT_TOO_LONG and isinstance(place, Place) and place.asked:
            return Button(label, pick=place.again), Button("Start from a summary", do=f"compact:{place.parent_id}")
        case "choose_model":
            return Button(label, pick=other.pick, href=other.href), again
        case "edit_message":
            return Button(label, href=place.edit_url), other
    wait = error.get("retry_after")
    until = at.timestamp() + float(wait) if wait else None
    return Button("Try again", do=place.again, wait_until=until), other


def _article(label: str) -> str:
    """`Add a OpenAI key` reads wrong."""
    return label.replace("Add a O", "Add an O").replace("Add a A", "Add an A")
