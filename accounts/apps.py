"""The accounts application; it writes down what happens to people's ways to sign in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Models exist only now.
        from accounts import sign_in_events  # noqa: PLC0415

        sign_in_events.connect()
