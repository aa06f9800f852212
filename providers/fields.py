"""The one column type that may hold a secret: encrypted under the key ring, strict, write-only."""

from typing import Any, NoReturn

from django.core.exceptions import FieldError
from django.db import models
from encrypted_fields.fields import EncryptedTextField

from accounts import keyring
from providers.secrets import MASK, Secret


class StrictEncryptedTextField(EncryptedTextField):
    """Keeps the package's column and replaces all its behaviour that reference tests proved unsafe:
    keys from our ring, failure instead of ciphertext, no shared decryption flag, no form field, no look-ups.
    Reads give `Secret`; a value that does not open raises `keyring.DecryptionFailed`."""

    @property
    def keys(self) -> NoReturn:
        raise RuntimeError("keys derived from SECRET_KEY are not used")

    @property
    def f(self) -> NoReturn:
        raise RuntimeError("keys derived from SECRET_KEY are not used")

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        plain = value.reveal() if isinstance(value, Secret) else str(value)
        if not plain:
            raise ValueError("refusing to encrypt an empty secret; store NULL")
        return keyring.encrypt(plain)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_prep_value(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        return None if value is None else Secret(keyring.decrypt(value))

    def to_python(self, value: Any) -> Secret | None:
        return value if value is None or isinstance(value, Secret) else Secret(value)

    def clean(self, value: Any, model_instance: Any) -> Any:
        return models.TextField.clean(self, value, model_instance)

    def run_validators(self, value: Any) -> None:
        super().run_validators(value.reveal() if isinstance(value, Secret) else value)

    def value_to_string(self, obj: Any) -> str:
        return MASK

    def formfield(self, **kwargs: Any) -> None:  # type: ignore[override]
        return None

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError("a secret cannot be looked up: use the fingerprint column")
        return super().get_lookup(lookup_name)
