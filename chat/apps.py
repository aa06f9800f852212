"""The chat application; it tells open pages when a provider's health changes."""

from typing import Any

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        # Models exist only now.
        from providers import health  # noqa: PLC0415

        health.changed.connect(tell_pages, dispatch_uid="chat.health")


def tell_pages(sender: Any, **_: Any) -> None:
    from chat import journal  # noqa: PLC0415

    journal.wake(["health"])
