"""Addresses below /settings/ that are about providers."""

from django.urls import path

from providers import views

app_name = "providers"
urlpatterns = [
    path("providers/", views.settings_page, name="settings"),
    path("providers/check/", views.check, name="check"),
    path("providers/<slug:provider_id>/key/", views.keep, name="keep"),
    path("providers/keys/<uuid:credential_id>/remove/", views.remove, name="remove"),
]
