"""What the pages post: a message, an action on a turn, a choice of model, a title. All become plain values."""

from typing import Any
from uuid import UUID

from django import forms

from accounts.problems import Problem
from chat.models import Conversation
from chat.protocol import Command

# `compact` answers again from a summary, `everything` without one; `restore` lets a summary hold again.
ACTIONS = ("answer", "continue", "stop", "compact", "everything", "restore")
AGAIN = frozenset({"answer", "compact", "everything"})


class KeysField(forms.MultipleChoiceField):
    """Which keys there are is the flow's rule."""

    def valid_value(self, value: str) -> bool:
        return len(value) <= 80


class SendForm(forms.Form):
    """A new message. How long it may be is the flow's rule, so that every door refuses it in the same words."""

    text = forms.CharField(required=False, strip=False)
    model = forms.CharField(required=False, max_length=201)
    parent = forms.UUIDField(required=False)
    edits = forms.UUIDField(required=False)
    attachments = forms.TypedMultipleChoiceField(required=False, coerce=UUID)
    tools = KeysField(required=False)
    # Without the menu nothing is chosen, which is not the same as choosing nothing.
    menu = forms.BooleanField(required=False)
    context = forms.ChoiceField(choices=[("", ""), *Conversation.ANSWERED], required=False)
    key = forms.CharField(required=False, max_length=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Which files there are is the flow's to know.
        self.fields["attachments"].valid_value = lambda _: True  # type: ignore[attr-defined]

    def command(self, conversation_id: UUID | None) -> Command:
        """Raises Problem 400 when a field makes no sense."""
        data = cleaned(self)
        return Command(
            text=data["text"].replace("\r\n", "\n"),
            conversation_id=conversation_id,
            parent_id=data["parent"],
            edits=data["edits"],
            attachments=tuple(data["attachments"]),
            model=data["model"],
            tools=tuple(data["tools"]) if data["menu"] else None,
            context=data["context"],
            idempotency_key=data["key"],
        )


class ActForm(forms.Form):
    """An action on a turn: `do` (or `asked`, when the picker named a model first) is `answer:<id>` and the like."""

    do = forms.CharField(required=False, max_length=60)
    asked = forms.CharField(required=False, max_length=60)
    model = forms.CharField(required=False, max_length=201)
    key = forms.CharField(required=False, max_length=120)

    def action(self) -> tuple[str, UUID]:
        """The verb and the id of a message or a stream. Raises Problem 400."""
        data = cleaned(self)
        verb, _, target = (data["do"] or data["asked"]).partition(":")
        try:
            found = UUID(target)
        except ValueError:
            raise _nonsense("do") from None
        if verb not in ACTIONS:
            raise _nonsense("do")
        return verb, found

    def command(self, conversation_id: UUID, verb: str, target: UUID) -> Command:
        data = cleaned(self)
        return Command(
            conversation_id=conversation_id,
            answer_to=target if verb in AGAIN else None,
            continues=target if verb == "continue" else None,
            model=data["model"],
            compact=verb == "compact",
            idempotency_key=data["key"],
        )


class SummaryForm(forms.Form):
    """Summarise the branch that ends with the message `at`."""

    at = forms.UUIDField(required=False)
    key = forms.CharField(required=False, max_length=120)


class ContextForm(forms.Form):
    context = forms.ChoiceField(choices=Conversation.ANSWERED)


class ModelForm(forms.Form):
    model = forms.CharField(required=False, max_length=201)


class TitleForm(forms.Form):
    title = forms.CharField(max_length=200)


class LookForm(forms.Form):
    """Which part of a conversation a page shows; what makes no sense is ignored."""

    at = forms.UUIDField(required=False)
    edit = forms.UUIDField(required=False)
    turns = forms.IntegerField(required=False, min_value=1)
    model = forms.CharField(required=False, max_length=201)
    summary = forms.BooleanField(required=False)

    def value(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)


def cleaned(form: forms.Form) -> dict[str, Any]:
    """The form's values. Raises Problem 400 naming the first field that makes no sense."""
    if not form.is_valid():
        raise _nonsense(next(iter(form.errors)))
    return form.cleaned_data


def _nonsense(field: str) -> Problem:
    return Problem(400, "invalid_request", "This form makes no sense.", "Reload the page and try again.", field=field)
