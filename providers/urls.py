"""Addresses that are about providers: their settings, and the status page."""

from django.urls import path

from providers import api, codex_views, plan_views, views

app_name = "providers"
urlpatterns = [
    path("settings/providers/", views.settings_page, name="settings"),
    path("settings/providers/check/", views.check, name="check"),
    path("settings/providers/<slug:provider_id>/key/", views.keep, name="keep"),
    path("settings/providers/<slug:provider_id>/session/", views.keep_session, name="keep_session"),
    path("settings/providers/<slug:provider_id>/workload-identity/", views.keep_identity, name="keep_identity"),
    path("settings/providers/<slug:provider_id>/mode/", views.mode, name="mode"),
    path("settings/providers/keys/<uuid:credential_id>/remove/", views.remove, name="remove"),
    path("settings/providers/chatgpt/", plan_views.begin, name="chatgpt"),
    path("settings/providers/chatgpt/done/", plan_views.done, name="chatgpt_done"),
    path("settings/providers/codex/", codex_views.look, name="codex"),
    path("settings/providers/codex/import/", codex_views.take_over, name="codex_import"),
    # The vendor names this path.
    path("auth/callback", plan_views.returned, name="chatgpt_return"),
    path("status/", views.status_page, name="status"),
    path("status/check/", views.check_all, name="check_all"),
    path("status.json", api.StatusView.as_view(), name="status_json"),
]
