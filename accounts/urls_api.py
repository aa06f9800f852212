"""The API about the caller."""

from django.urls import path

from accounts.me import MeView

app_name = "accounts_api"
urlpatterns = [path("me/", MeView.as_view(), name="me")]
