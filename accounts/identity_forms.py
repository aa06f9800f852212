"""The form of an identity provider: presets fill what is known, and nothing that is saved leaves anybody outside."""

import re
from typing import TYPE_CHECKING, Any

from django import forms

from accounts import methods, sealing
from accounts.models import IdentityProvider
from accounts.models.identity import CHATGPT_ISSUER, GOOGLE_ISSUER
from accounts.oidc import claim_map, discovery, presets
from accounts.oidc.http import is_acceptable
from accounts.oidc.refusals import WORDS, Refused

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[IdentityProvider]
else:
    ModelForm = forms.ModelForm

DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
MOST_DOMAINS = 50
NAMED = 5  # how many of the people who would be left outside are named
RESERVED = {"openid_connect"}
SECRET_SHOWN_FROM = 20  # characters

HELP = {
    "preset": "ChatGPT and Google fill in the issuer. OpenAI issues website clients to partners at present.",
    "name": "On the button: Continue with …",
    "slug": "Part of the address; it never changes.",
    "issuer": "For example https://login.example.com/realms/staff, exactly as the issuer calls itself.",
    "client_id": "Without one the button does not appear.",
    "fetch_userinfo": "For issuers whose ID token leaves out the e-mail address.",
    "sign_up": "Who may make an account this way, as a member at most.",
    "listed": "Whether the sign-in page names it to everybody; otherwise people open its own address.",
}


class IdentityProviderForm(ModelForm):
    """`new_secret` and `strand` are of the form alone: the model's secret never takes part."""

    new_secret = forms.CharField(
        label="Client secret",
        required=False,
        max_length=512,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Encrypted when it is saved and not shown again. Leave it empty to keep the stored one.",
    )
    listed_domains = forms.CharField(
        label="Domains", required=False, max_length=2000, help_text="example.com, example.org"
    )
    claim_roles = forms.CharField(
        label="Roles by claim",
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="For a workspace's own provider. One a line: role, claim, value, for example “admin groups "
        "parley-admins”. Whoever no line fits is let in by the rule above or not at all. A role that follows from a "
        "claim changes with it at the next sign-in; administering takes a passkey; nobody becomes an owner.",
    )
    strand = forms.BooleanField(
        label="Turn it off although people depend on it",
        required=False,
        help_text="They come in with a code by e-mail and are asked to add a passkey.",
    )

    class Meta:
        model = IdentityProvider
        fields = (
            "preset", "name", "slug", "workspace", "issuer", "client_id", "token_auth", "scopes", "fetch_userinfo",
            "sign_up", "listed", "enabled",
        )  # fmt: skip
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["issuer"].required = False
        self.fields["listed_domains"].initial = ", ".join(self.instance.domains)
        self.fields["claim_roles"].initial = claim_map.shown(self.instance.roles)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug in RESERVED or IdentityProvider(slug=slug).accounts().exists():
            raise forms.ValidationError("This short name is taken.")
        return slug

    def clean_scopes(self) -> str:
        scopes: list[str] = self.cleaned_data["scopes"].split()
        if "openid" not in scopes:
            raise forms.ValidationError("The scopes must include openid.")
        return " ".join(scopes)

    def clean_listed_domains(self) -> list[str]:
        found = sorted({word.lower() for word in re.split(r"[\s,;]+", self.cleaned_data["listed_domains"]) if word})
        if len(found) > MOST_DOMAINS or not all(DOMAIN.fullmatch(domain) for domain in found):
            raise forms.ValidationError("These are not domains like example.com.")
        return found

    def clean_claim_roles(self) -> list[dict[str, str]]:
        try:
            found = claim_map.parse(self.cleaned_data["claim_roles"])
        except claim_map.NotALine as wrong:
            raise forms.ValidationError(str(wrong)) from None
        if found and self.cleaned_data.get("workspace", self.instance.workspace) is None:
            raise forms.ValidationError("Only a workspace's own identity provider gives roles.")
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        preset = presets.PRESETS.get(cleaned.get("preset", ""), {})
        cleaned |= preset
        self._check_issuer(cleaned)
        if cleaned.get("sign_up") == IdentityProvider.SignUp.DOMAIN and not cleaned.get("listed_domains"):
            self.add_error("listed_domains", "Name the domains whose people may come in.")
        self._check_people(cleaned)
        return cleaned

    def _check_issuer(self, cleaned: dict[str, Any]) -> None:
        issuer = cleaned.get("issuer") or ""
        known = {CHATGPT_ISSUER, GOOGLE_ISSUER}
        stored = IdentityProvider.objects.filter(pk=self.instance.pk)
        before = stored.values_list("issuer", flat=True).first()
        if not is_acceptable(issuer) or "?" in issuer:
            self.add_error("issuer", "An issuer is an https address.")
        elif before and before != issuer and self.instance.accounts().exists():
            self.add_error("issuer", "Accounts are linked to this issuer, so it stays. Add another provider instead.")
        elif (
            before
            and before != issuer
            and stored.filter(secret__isnull=False).exists()
            and not cleaned.get("new_secret")
        ):
            self.add_error("new_secret", "Enter the secret of the new issuer; the stored one belongs to the old one.")
        elif cleaned.get("enabled") and issuer not in known and not self.errors:
            self._ask(issuer, cleaned)

    def _ask(self, issuer: str, cleaned: dict[str, Any]) -> None:
        """An issuer that is turned on must answer, so that a typing error shows here and not on the sign-in page."""
        place = cleaned.get("workspace", self.instance.workspace)
        try:
            discovery.metadata(IdentityProvider(issuer=issuer, workspace=place))
        except Refused as refused:
            self.add_error("issuer", f"{WORDS[refused.code].format(name='The issuer')} ({refused.detail})")

    def _check_people(self, cleaned: dict[str, Any]) -> None:
        was = IdentityProvider.objects.offered().filter(pk=self.instance.pk).exists()
        stays = cleaned.get("enabled") and cleaned.get("client_id")
        if not was or stays or cleaned.get("strand"):
            return
        people = methods.stranded_without(self.instance)
        if people:
            named = ", ".join(people[:NAMED]) + (" and others" if len(people) > NAMED else "")
            how_many = f"{len(people)} people sign" if len(people) > 1 else "1 person signs"
            self.add_error("strand", f"{how_many} in this way only: {named}. Tick this to go on all the same.")

    def save(self, commit: bool = True) -> IdentityProvider:
        row = self.instance
        row.domains = self.cleaned_data["listed_domains"]
        row.roles = self.cleaned_data["claim_roles"]
        if secret := self.cleaned_data["new_secret"]:
            row.secret = sealing.seal(row, secret)
            row.hint = f"…{secret[-4:]}" if len(secret) >= SECRET_SHOWN_FROM else "…"
        saved: IdentityProvider = super().save(commit)
        return saved
