"""What the document pages post: a file, a summary or a question, an action on an earlier one."""

from uuid import UUID

from django import forms

from accounts.problems import Problem
from chat.documents import Asking

ACTIONS = ("again", "stop")


class AskForm(forms.Form):
    """How long a question may be is the flow's rule."""

    task = forms.ChoiceField(choices=[("summary", "summary"), ("question", "question")])
    question = forms.CharField(required=False, strip=False)
    model = forms.CharField(required=False, max_length=201)
    key = forms.CharField(required=False, max_length=120)

    def asking(self) -> Asking:
        """Raises Problem 400."""
        if not self.is_valid():
            raise _nonsense()
        data = self.cleaned_data
        question = data["question"].replace("\r\n", "\n") if data["task"] == "question" else ""
        return Asking(data["task"], question, data["model"], data["key"])


def action_of(said: str) -> tuple[str, UUID]:
    """The verb and the run of `again:<id>` or `stop:<id>`. Raises Problem 400."""
    verb, _, target = said.partition(":")
    try:
        found = UUID(target)
    except ValueError:
        raise _nonsense() from None
    if verb not in ACTIONS:
        raise _nonsense()
    return verb, found


def _nonsense() -> Problem:
    return Problem(400, "invalid_request", "This form makes no sense.", "Reload the page and try again.")
