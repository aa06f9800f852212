"""WebSocket addresses. Who may open one is decided around them (project/asgi) and in the consumer."""

from typing import Any

from django.urls import path

from chat.consumers import StreamConsumer

websocket_urlpatterns: list[Any] = [path("ws/stream/", StreamConsumer.as_asgi())]  # type: ignore[arg-type]
