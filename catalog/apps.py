"""The catalog application; it listens for changed keys."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        # Models exist only now.
        from catalog import schedule  # noqa: PLC0415
        from providers import credentials  # noqa: PLC0415

        credentials.changed.connect(schedule.on_change, dispatch_uid="catalog.schedule")
