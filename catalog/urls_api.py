"""Addresses of the catalog API."""

from django.urls import path

from catalog import api

app_name = "catalog_api"
urlpatterns = [
    path("models/", api.ModelsView.as_view(), name="models"),
    path("routing/explain/", api.ExplainView.as_view(), name="explain"),
]
