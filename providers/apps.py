from django.apps import AppConfig
from django.conf import settings

from providers.reach import reach


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        """What a workspace's administrator names must be public; only the operator's own addresses may be private."""
        if not settings.DEVELOPMENT:
            reach.confine(settings.PROVIDER_BASE_URLS.values())
