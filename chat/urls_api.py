"""Addresses; filled by the owner of this app."""

from django.urls import URLPattern, URLResolver

app_name = "chat_api"
urlpatterns: list[URLPattern | URLResolver] = []
