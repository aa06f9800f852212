"""Addresses of the conversation API."""

from django.urls import path

from chat import (
    api,
    attachments_api,
    documents_api,
    explain_api,
    specialists_api,
    sse,
    structured_api,
    summary_api,
    tools_api,
    usage_api,
)

app_name = "chat_api"
urlpatterns = [
    path("conversations/", api.ConversationsView.as_view(), name="conversations"),
    path("conversations/<uuid:pk>/", api.ConversationView.as_view(), name="conversation"),
    path("conversations/<uuid:pk>/messages/", api.MessagesView.as_view(), name="messages"),
    path("attachments/", attachments_api.AttachmentsView.as_view(), name="attachments"),
    path("attachments/<uuid:pk>/", attachments_api.AttachmentView.as_view(), name="attachment"),
    path("attachments/<uuid:pk>/content/", attachments_api.AttachmentContentView.as_view(), name="attachment-content"),
    path("documents/", documents_api.DocumentsView.as_view(), name="documents"),
    path("documents/<uuid:pk>/", documents_api.DocumentView.as_view(), name="document"),
    path("documents/<uuid:pk>/content/", documents_api.DocumentContentView.as_view(), name="document-content"),
    path("documents/<uuid:pk>/pages/", documents_api.DocumentPagesView.as_view(), name="document-pages"),
    path("documents/<uuid:pk>/runs/", documents_api.DocumentRunsView.as_view(), name="document-runs"),
    path("documents/<uuid:pk>/runs/<uuid:run_id>/", documents_api.DocumentRunView.as_view(), name="document-run"),
    path("conversations/<uuid:pk>/summary/", summary_api.SummaryView.as_view(), name="summary"),
    path("conversations/<uuid:pk>/context/", summary_api.FillView.as_view(), name="context"),
    path("conversations/<uuid:pk>/compactions/", summary_api.CompactionsView.as_view(), name="compactions"),
    path(
        "conversations/<uuid:pk>/compactions/<uuid:compaction>/",
        summary_api.CompactionView.as_view(),
        name="compaction",
    ),
    path("specialists/", specialists_api.SpecialistsView.as_view(), name="specialists"),
    path("specialists/<uuid:pk>/", specialists_api.SpecialistView.as_view(), name="specialist"),
    path("runs/", api.RunsView.as_view(), name="runs"),
    path("runs/<uuid:pk>/", api.RunView.as_view(), name="run"),
    path("runs/<uuid:pk>/stop/", api.StopView.as_view(), name="run-stop"),
    path("runs/<uuid:pk>/tool-results/", tools_api.ToolResultsView.as_view(), name="run-tool-results"),
    path("tools/", tools_api.ToolsView.as_view(), name="tools"),
    path("usage/", usage_api.UsageView.as_view(), name="usage"),
    path("usage/workspace/", usage_api.WorkspaceUsageView.as_view(), name="workspace-usage"),
    path("routing/explain/", explain_api.ExplainView.as_view(), name="explain"),
    path("limits/remaining/", usage_api.RemainingView.as_view(), name="remaining"),
    path("structured/", structured_api.StructuredsView.as_view(), name="structured"),
    path("structured/<uuid:pk>/", structured_api.StructuredView.as_view(), name="structured-run"),
    path("runs/<uuid:pk>/events", sse.events, name="run-events"),
]
