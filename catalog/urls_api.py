"""Addresses of the catalog API."""

from django.urls import path

from catalog.api import access, defaults, limits, models, policy, succession

app_name = "catalog_api"
urlpatterns = [
    path("models/", models.ModelsView.as_view(), name="models"),
    path("models/leaving/", succession.AffectedView.as_view(), name="leaving"),
    path("defaults/", defaults.DefaultsView.as_view(), name="defaults"),
    path("defaults/<slug:context>/", defaults.OwnDefaultView.as_view(), name="own-default"),
    path("defaults/workspace/<slug:context>/", defaults.WorkspaceDefaultView.as_view(), name="workspace-default"),
    path("aliases/", policy.AliasesView.as_view(), name="aliases"),
    path("aliases/<int:pk>/", policy.AliasView.as_view(), name="alias"),
    path("access/", access.AccessView.as_view(), name="access"),
    path("rules/", policy.RulesView.as_view(), name="rules"),
    path("rules/<int:pk>/", policy.RuleView.as_view(), name="rule"),
    path("limits/", limits.LimitsView.as_view(), name="limits"),
    path("limits/<int:pk>/", limits.LimitView.as_view(), name="limit"),
    path("model-migrations/", succession.MigrationsView.as_view(), name="migrations"),
    path("model-migrations/<int:pk>/undo/", succession.UndoView.as_view(), name="undo"),
]
