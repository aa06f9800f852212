"""The forms that take a key, whose secret goes in and never comes back out, and the one that starts a drill."""

from typing import TYPE_CHECKING, Any, ClassVar
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
from providers.sessions import workload_identity

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


def _base_url_field() -> forms.CharField:
    return forms.CharField(label="Base URL (only for a gateway)", required=False, max_length=300)


def _account_field() -> forms.CharField:
    return forms.CharField(label="Account (a name for it)", required=False, max_length=session_keeping.ACCOUNT_CHARS)


class KeyForm(forms.Form):
    """What the settings page sends. `place` is where it stands there, `renamed` what the flow's fields are called."""

    place = ""
    renamed: ClassVar[dict[str, str]] = {}
    secret = _secret_field()
    base_url = _base_url_field()

    def keep(self, actor: Actor, provider_id: str, *, shared: bool) -> Credential:
        """Call only on a valid form. Raises Problem."""
        return credentials.save(actor, provider_id=provider_id, shared=shared, **self.cleaned_data)


class SessionForm(KeyForm):
    """A pasted token session; times are in UTC."""

    place = "-session"
    base_url = None  # type: ignore[assignment]  # how a form leaves a field out
    secret = _secret_field(longest=LONGEST_TOKEN)
    expires_at = forms.DateTimeField(required=False, label="Expires")
    account = _account_field()
    fallback_allowed = forms.BooleanField(required=False)

    def keep(self, actor: Actor, provider_id: str, *, shared: bool) -> Credential:
        return session_keeping.save(actor, session_keeping.Given(provider_id, shared=shared, **self.cleaned_data))


class WorkloadIdentityForm(KeyForm):
    """How a signed token of the workspace's own issuer is exchanged for the vendor's."""

    place = "-identity"
    renamed: ClassVar[dict[str, str]] = {"exchange": "endpoint"}
    secret = _secret_field(longest=LONGEST_TOKEN)
    endpoint = forms.CharField(label="Token endpoint (if it is not the vendor's)", required=False, max_length=300)
    account = _account_field()
    fallback_allowed = forms.BooleanField(required=False)

    def __init__(self, provider_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = f"w-{provider_id}{self.place}-%s"
        required, optional = workload_identity.FIELDS.get(provider_id, ((), ()))
        self.named = (*required, *optional)
        for name in self.named:
            label = workload_identity.LABELS[name]
            self.fields[name] = forms.CharField(
                label=label if name in required else f"{label} (if the vendor wants one)",
                required=name in required,
                max_length=session_keeping.FIELD_CHARS,
                error_messages={"required": f"Fill in the {label}. The vendor shows it where its rule was made."},
            )

    @property
    def texts(self) -> list[forms.BoundField]:
        """What is no secret, and is repeated when something was wrong."""
        return [self[name] for name in (*self.named, "endpoint", "base_url", "account")]

    def keep(self, actor: Actor, provider_id: str, *, shared: bool) -> Credential:
        told = dict(self.cleaned_data)
        exchange = {name: told.pop(name) for name in (*self.named, "endpoint")}
        method = Credential.Method.WORKLOAD_IDENTITY
        given = session_keeping.Given(provider_id, shared=shared, method=method, exchange=exchange, **told)
        return session_keeping.save(actor, given)


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
