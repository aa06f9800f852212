"""The accounts application; it writes down what happens to people's ways to sign in, and seals their seeds."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Models exist only now.
        from accounts import checks as checks  # noqa: PLC0415
        from accounts import seeds, sign_in_events  # noqa: PLC0415

        seeds.connect()
        sign_in_events.connect()
