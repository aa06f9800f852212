"""Two Django applications: the console (the admin site under our own rules) and the project, for its commands."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin

from project.logging import guard_handlers, guard_uncaught


class ConsoleConfig(admin.AdminConfig):
    default = False
    default_site = "project.console.Console"


class ProjectConfig(AppConfig):
    default = True
    name = "project"

    def ready(self) -> None:
        guard_uncaught()
        guard_handlers()
