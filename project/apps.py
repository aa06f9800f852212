"""Two Django applications: the console (the admin site under our own rules) and the project itself, for its commands."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConsoleConfig(admin.AdminConfig):
    default = False
    default_site = "project.console.Console"


class ProjectConfig(AppConfig):
    default = True
    name = "project"
