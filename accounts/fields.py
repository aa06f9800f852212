"""The one column type that may hold a secret: encrypted under the key ring, strict, write-only."""

from typing import Any, NoReturn

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from encrypted_fields.fields import EncryptedTextField

from accounts import keyring
from accounts.secrets import MASK, Secret


class StrictEncryptedTextField(EncryptedTextField):
    """Keeps the package's column and replaces what is unsafe in it: keys from our ring, failure instead of ciphertext,
    no shared decryption flag, no form field, no look-ups, no plain text in a dump.

    Reads give `Secret`; a value that does not open raises `keyring.DecryptionFailed`. Every override is a case of
    tests/providers/test_fields.py, because the package's own behaviour is to hand out what it cannot decrypt.
    """

    @property
    def keys(self) -> NoReturn:
        raise RuntimeError("keys derived from SECRET_KEY are not used")

    @property
    def f(self) -> NoReturn:
        raise RuntimeError("keys derived from SECRET_KEY are not used")

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """A secret encrypts differently each time: an index on it, or uniqueness, would promise what it cannot keep."""
        found: list[checks.CheckMessage] = super().check(**kwargs)
        if self.unique or getattr(self, "db_index", False):
            found.append(checks.Error("A secret column cannot be unique or indexed.", obj=self, id="accounts.E001"))
        return found

    # ------------------------------------------------------------ writing
    def get_prep_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, keyring.Sealed):
            return value if value is None else str(value)
        plain = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(plain, str):
            raise TypeError(f"a secret is text, not {type(plain).__name__}")
        if not plain:
            raise ValueError("refusing to encrypt an empty secret; store NULL")
        return keyring.encrypt(plain)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_prep_value(value)

    # ------------------------------------------------------------ reading
    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        return None if value is None else Secret(keyring.decrypt(value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError("a secret cannot be looked up: use the fingerprint column")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> NoReturn:
        raise FieldError("a secret cannot be transformed: use the fingerprint column")

    # ------------------------------------------------------------ forms and dumps
    def to_python(self, value: Any) -> Secret | None:
        return value if value is None or isinstance(value, Secret) else Secret(value)

    def clean(self, value: Any, model_instance: Any) -> Any:
        return models.TextField.clean(self, value, model_instance)

    def run_validators(self, value: Any) -> None:
        super().run_validators(value.reveal() if isinstance(value, Secret) else value)

    def value_from_object(self, obj: Any) -> str:
        """What serialisers and model forms read; never loads a deferred secret."""
        return MASK

    def value_to_string(self, obj: Any) -> str:
        return MASK

    def formfield(self, **kwargs: Any) -> None:
        return None
