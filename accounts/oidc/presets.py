"""What is known beforehand of identity providers that many people use."""

from typing import Any

from accounts.models.identity import CHATGPT_ISSUER, GOOGLE_ISSUER, IdentityProvider

# ChatGPT: the ID token is the whole contract, there need not be an access token, and the secret goes into the Basic
# header only.
PRESETS: dict[str, dict[str, Any]] = {
    IdentityProvider.Preset.CHATGPT: {
        "issuer": CHATGPT_ISSUER,
        "scopes": "openid profile email",
        "token_auth": IdentityProvider.TokenAuth.BASIC,
        "fetch_userinfo": False,
    },
    IdentityProvider.Preset.GOOGLE: {
        "issuer": GOOGLE_ISSUER,
        "scopes": "openid profile email",
        "token_auth": IdentityProvider.TokenAuth.POST,
        "fetch_userinfo": False,
    },
}
