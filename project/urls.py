"""Every address of the house; a view is closed unless it says otherwise (tests/guards holds the list)."""

from django.contrib import admin
from django.urls import include, path

from project import docs, health, problems

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v1/schema", docs.SchemaView.as_view(), name="api-schema"),
    path("api/docs/", docs.page, name="api-docs"),
    path("api/v1/", include("catalog.urls_api")),
    path("api/v1/", include("chat.urls_api")),
    path("api/v1/", include("providers.urls_api")),
    path("api/v1/", include("accounts.urls_api")),
    path("v1/", include("chat.gateway.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls_auth")),
    path("accounts/", include("allauth.urls")),
    path("", include("providers.urls")),
    path("", include("accounts.urls")),
    path("", include("catalog.urls")),
    path("", include("chat.urls")),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.missing
handler500 = problems.broken
