"""The chat application; it tells open pages when a provider's health or a credential changes and the catalog what names
a model, and a file goes with its row."""

from typing import Any

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        # Models exist only now.
        from django.db.models.signals import post_delete  # noqa: PLC0415

        from catalog import succession  # noqa: PLC0415
        from chat import leftovers  # noqa: PLC0415
        from chat.models import Attachment  # noqa: PLC0415
        from chat.sticky import StickyModels  # noqa: PLC0415
        from providers import credentials, health  # noqa: PLC0415

        post_delete.connect(leftovers.discard_files, sender=Attachment, dispatch_uid="chat.attachment-files")
        succession.add_place(StickyModels())
        health.changed.connect(tell_pages, dispatch_uid="chat.health")
        credentials.changed.connect(tell_pages, dispatch_uid="chat.credentials")


def tell_pages(sender: Any, **_: Any) -> None:
    from chat import journal  # noqa: PLC0415

    journal.wake(["health"])
