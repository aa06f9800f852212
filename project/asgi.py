"""The application that every server runs: bounds, pages, sockets. Importing it starts nothing."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # sets Django up, so it comes before every import below

from channels.routing import ProtocolTypeRouter, URLRouter

from chat.routing_ws import websocket_urlpatterns
from project.background import Serving
from project.bounds import BodyBound
from project.origins import OriginGate

sockets = OriginGate(URLRouter(websocket_urlpatterns))  # a consumer asks `accounts.actors` who it is for
application = Serving(ProtocolTypeRouter({"http": BodyBound(pages), "websocket": sockets}))
