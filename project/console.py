"""The console: the Django admin behind our own door."""

from django.contrib.admin import AdminSite


class Console(AdminSite):
    site_header = site_title = "Parley console"
