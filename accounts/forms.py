"""What people type about their passkeys and API tokens."""

from typing import Any

from allauth.mfa.webauthn.forms import EditWebAuthnForm, SignupWebAuthnForm
from django import forms

from accounts.models import Role
from accounts.policies import SCOPES
from accounts.tokens import DEFAULT_DAYS

NAME_LENGTH = 60


class NewPasskeyForm(SignupWebAuthnForm):
    """A key made here always signs in by itself, so there is nothing to tick."""

    name = forms.CharField(required=False, max_length=NAME_LENGTH)


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(max_length=NAME_LENGTH)


class TokenForm(forms.Form):
    """`days` is the age at which the token ends, `scopes` what it may be used for."""

    AGES = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year"))

    name = forms.CharField(max_length=80)
    scopes = forms.MultipleChoiceField(choices=list(SCOPES.items()))
    days = forms.TypedChoiceField(choices=AGES, coerce=int, initial=DEFAULT_DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].error_messages["required"] = "Give the token a name, so that you know it later."
        self.fields["scopes"].error_messages["required"] = "Choose at least one thing the token may do."


class InvitationForm(forms.Form):
    """Who is invited, and as what: `roles` are those the inviter may give."""

    email = forms.EmailField(max_length=254)
    role = forms.ChoiceField(initial=Role.MEMBER)

    def __init__(self, roles: tuple[Role, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(one.value, one.label) for one in reversed(roles)]  # type: ignore[attr-defined]
        self.fields["email"].error_messages["required"] = "Enter the address of the person to invite."


class WorkspaceForm(forms.Form):
    name = forms.CharField(max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].error_messages["required"] = "Give the workspace a name."
