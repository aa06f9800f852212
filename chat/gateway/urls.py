"""Addresses under /v1/, as OpenAI's clients expect them below their base URL."""

from django.urls import path

from chat.gateway import doors

app_name = "gateway"
urlpatterns = [
    path("models", doors.models, name="models"),
    path("models/<path:name>", doors.model, name="model"),
    path("chat/completions", doors.chat_completions, name="chat-completions"),
    path("responses", doors.create_response, name="responses"),
]
