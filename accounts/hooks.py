"""What we change in allauth, through its own hooks."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from accounts import keyring


class AccountAdapter(DefaultAccountAdapter):
    pass


class MFAAdapter(DefaultMFAAdapter):
    """Seals TOTP secrets and recovery seeds, and pins the id that passkeys are bound to."""

    def encrypt(self, text: str) -> str:
        return keyring.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.decrypt(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PASSKEY_RP_ID, "name": "Parley"}
