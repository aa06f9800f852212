"""Addresses of the pages about models."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("models/", views.models_page, name="models"),
    path("models/<slug:provider_id>/<path:model_id>/", views.model_page, name="model"),
    path("settings/models/", views.defaults_page, name="defaults"),
]
