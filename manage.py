#!/usr/bin/env python
"""Run one of Parley's commands; `manage.py up` starts everything."""

import os
import sys

from django.core.management import execute_from_command_line

from project.env import SettingError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        sys.exit(f"Settings: {error}")


if __name__ == "__main__":
    main()
