"""Addresses of the credentials API and of the providers' health."""

from django.urls import path

from providers import api

app_name = "providers_api"
urlpatterns = [
    path("health/", api.HealthView.as_view(), name="health"),
    path("credentials/", api.CredentialsView.as_view(), name="credentials"),
    path("credentials/<uuid:credential_id>/", api.CredentialView.as_view(), name="credential"),
    path("credentials/<uuid:credential_id>/check/", api.CredentialCheckView.as_view(), name="check"),
]
