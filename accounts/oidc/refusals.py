"""Why a sign-in through an identity provider ended without one, and what a person can do about it."""

from allauth.socialaccount.providers.oauth2.client import OAuth2Error

UNREACHABLE = "unreachable"
BAD_ANSWER = "bad_answer"
CODE_REFUSED = "code_refused"
BAD_TOKEN = "bad_token"  # noqa: S105 - the name of a refusal
SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105
STALE = "stale"
DENIED = "denied"
RACED = "raced"
NOT_YOURS = "not_yours"

# `{name}` is the identity provider's.
WORDS = {
    UNREACHABLE: "{name} is not answering. Try again in a moment, or sign in another way.",
    BAD_ANSWER: "{name} sent an answer that makes no sense. An administrator finds the details in the log.",
    CODE_REFUSED: "{name} did not accept this sign-in any more. Start again.",
    BAD_TOKEN: "{name} sent a proof that could not be verified, so nobody was signed in. Start again; if it stays, "
    "an administrator finds the details in the log.",
    SECRET_UNREADABLE: "The stored secret for {name} cannot be opened. An administrator has to enter it again.",
    STALE: "This sign-in was started too long ago, in another browser, or was used already. Start again.",
    DENIED: "{name} refused to sign you in. Try again, or sign in another way.",
    RACED: "Two sign-ins arrived at the same moment. Start again.",
    NOT_YOURS: "This sign-in was started by somebody else. Start again.",
}


class Refused(OAuth2Error):
    """`code` is one of `WORDS`; `detail` is for the log and never holds a token, a code or a secret."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
