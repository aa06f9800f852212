"""Addresses of the credentials API, of the providers' health and of the drills."""

from django.urls import path

from providers import api, drills_api

app_name = "providers_api"
urlpatterns = [
    path("health/", api.HealthView.as_view(), name="health"),
    path("credentials/", api.CredentialsView.as_view(), name="credentials"),
    path("credentials/sessions/", api.SessionsView.as_view(), name="sessions"),
    path("credentials/modes/<slug:provider_id>/", api.ModeView.as_view(), name="mode"),
    path("credentials/<uuid:credential_id>/", api.CredentialView.as_view(), name="credential"),
    path("credentials/<uuid:credential_id>/check/", api.CredentialCheckView.as_view(), name="check"),
    path("drills/", drills_api.DrillsView.as_view(), name="drills"),
    path("drills/<uuid:drill_id>/", drills_api.DrillView.as_view(), name="drill"),
    path("drills/<uuid:drill_id>/stop/", drills_api.DrillStopView.as_view(), name="drill_stop"),
]
