"""The forms that take a key, whose secret goes in and never comes back out, and the one that starts a drill."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms

from accounts.models import Role
from accounts.policies import Actor
from accounts.problems import Problem
from providers import accepting, credentials, registry, session_keeping
from providers.drills import running
from providers.drills.bed import PROVIDERS
from providers.models import Credential, Drill
from providers.pasted import LONGEST_KEY, LONGEST_TOKEN

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Credential]
else:
    ModelForm = forms.ModelForm


def _secret_field(help_text: str = "", longest: int = LONGEST_KEY) -> forms.CharField:
    """May be empty for providers that need no key; `accepting.accepted` decides."""
    return forms.CharField(
        label="API key",
        required=False,
        strip=True,
        max_length=2 * longest,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=help_text,
    )


class KeyForm(forms.Form):
    """What the settings page sends."""

    secret = _secret_field()
    shared = forms.BooleanField(required=False)
    base_url = forms.CharField(label="Base URL", required=False, max_length=300)


class SessionForm(forms.Form):
    """A pasted token session, as the settings page sends it; times are in UTC."""

    secret = _secret_field(longest=LONGEST_TOKEN)
    expires_at = forms.DateTimeField(required=False, label="Expires")
    account = forms.CharField(required=False, max_length=session_keeping.ACCOUNT_CHARS)
    fallback_allowed = forms.BooleanField(required=False)


class ModeForm(forms.Form):
    """What goes out first."""

    mode = forms.ChoiceField(choices=Credential.Kind.choices)
    fallback_allowed = forms.BooleanField(required=False)


class CredentialForm(ModelForm):
    """A workspace key in the console. `key` is a field of the form alone: the model's secret never takes part.

    Any change asks for the key again, so that nobody can send a key that another person entered somewhere else.
    """

    provider_id = forms.ChoiceField(label="Provider")
    key = _secret_field("Checked with one request that costs nothing, then encrypted. It is not shown again.")

    class Meta:
        model = Credential
        fields = ("workspace", "provider_id", "label", "base_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.fields.get("provider_id")
        if isinstance(provider, forms.ChoiceField):
            provider.choices = [(one.provider_id, one.label) for one in registry.available()]

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                accepting.accepted(self._provider(given), given.get("key", ""), given.get("base_url", ""))
            except Problem as problem:
                field = {"secret": "key"}.get(problem.extra["field"], problem.extra["field"])
                self.add_error(field if field in self.fields else None, problem.title)
        return given

    def _provider(self, given: dict[str, Any]) -> str:
        return str(given.get("provider_id") or self.instance.provider_id)

    def keep(self, user_id: UUID) -> Credential:
        """Store what was entered, in the row that is there or in a new one. Call only on a valid form."""
        given = self.cleaned_data
        workspace = given.get("workspace") or self.instance.workspace
        return credentials.save(
            Actor(user_id, workspace.pk, Role.ADMIN),
            provider_id=self._provider(given),
            secret=given["key"],
            shared=True,
            label=given["label"],
            base_url=given["base_url"],
        )


class DrillForm(forms.Form):
    """Which provider fails, how, and under how many streams."""

    provider_id = forms.ChoiceField(
        label="Provider", choices=[(name, registry.providers()[name].label) for name in PROVIDERS]
    )
    kind = forms.ChoiceField(label="What happens", choices=Drill.Kind.choices)
    streams = forms.IntegerField(
        label="Streams at once",
        min_value=running.FEWEST_STREAMS,
        max_value=running.MOST_STREAMS,
        initial=running.STREAMS,
    )
