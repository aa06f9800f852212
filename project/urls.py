"""Every address of the house; a view is closed unless it says otherwise."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
