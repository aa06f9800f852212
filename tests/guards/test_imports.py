"""What may be in memory when: floors point down, and no vendor's SDK is loaded before somebody needs it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.guards.source import ROOT

SDKS = ("openai", "anthropic", "google.genai", "mistralai", "mcp")
SAY = "import json, sys; print(json.dumps(sorted(name for name in sys.modules)))"


def loaded_after(code: str) -> set[str]:
    setup = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'project.settings'; import django; django.setup();"
    done = subprocess.run(
        [sys.executable, "-c", setup + code + SAY], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(names)


def test_no_sdk_is_loaded_when_django_is_set_up() -> None:
    assert loaded_after("") & set(SDKS) == set()


def test_no_sdk_is_loaded_by_a_check_of_the_whole_project() -> None:
    assert loaded_after("from django.core.management import call_command; call_command('check');") & set(SDKS) == set()


def test_no_sdk_is_loaded_and_nothing_started_by_importing_the_application() -> None:
    code = "import threading, project.asgi; assert threading.active_count() == 1, threading.enumerate();"
    assert loaded_after(code) & set(SDKS) == set()


def test_the_import_contracts_hold() -> None:
    """The contracts themselves are in pyproject.toml."""
    beside_python = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(beside_python), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
