"""Addresses of the conversation API."""

from django.urls import path

from chat import api, sse, structured_api, tools_api

app_name = "chat_api"
urlpatterns = [
    path("conversations/", api.ConversationsView.as_view(), name="conversations"),
    path("conversations/<uuid:pk>/", api.ConversationView.as_view(), name="conversation"),
    path("conversations/<uuid:pk>/messages/", api.MessagesView.as_view(), name="messages"),
    path("runs/", api.RunsView.as_view(), name="runs"),
    path("runs/<uuid:pk>/", api.RunView.as_view(), name="run"),
    path("runs/<uuid:pk>/stop/", api.StopView.as_view(), name="run-stop"),
    path("runs/<uuid:pk>/tool-results/", tools_api.ToolResultsView.as_view(), name="run-tool-results"),
    path("tools/", tools_api.ToolsView.as_view(), name="tools"),
    path("structured/", structured_api.StructuredsView.as_view(), name="structured"),
    path("structured/<uuid:pk>/", structured_api.StructuredView.as_view(), name="structured-run"),
    path("runs/<uuid:pk>/events", sse.events, name="run-events"),
]
