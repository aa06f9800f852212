"""The environment that tests run in, made before Django reads its settings: nothing of the developer's own
installation, keys or databases reaches a test. Imported first of all, by conftest.py."""

import os
import tempfile
from typing import Any

import django
from django.conf import settings
from servestatic.middleware import ServeStaticMiddleware

OURS = (
    "SECRET_KEY",
    "FIELD_KEYRING",
    "FINGERPRINT_PEPPER",
    "ALLOWED_HOSTS",
    "PUBLIC_URL",
    "PASSKEY_RP_ID",
    "SIGNUP_OPEN",
)
STORAGE = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PARLEY_SANDBOX_URL", "PARLEY_MODE", "TRUSTED_PROXY_COUNT")
VENDORS = ("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "MISTRAL_", "CLAUDE_CODE_")

if settings.configured:
    raise RuntimeError("Django was set up before the tests' environment: unset DJANGO_SETTINGS_MODULE.")
for name in [name for name in os.environ if name.startswith((*OURS, *STORAGE, *VENDORS))]:
    del os.environ[name]

HOME = os.environ.get("PARLEY_TEST_HOME") or tempfile.mkdtemp(prefix="parley-test-")
os.environ["PARLEY_HOME"] = HOME
# A title is a run more than a test asked for; its own tests turn it on. Processes that tests start inherit this.
os.environ["AUTO_TITLES"] = "0"
# The whole suite on another engine: PARLEY_TEST_DATABASE_URL=postgres://…
if engine := os.environ.get("PARLEY_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = engine
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
django.setup()
# Workers and child processes begin as this one did: without it.
del os.environ["DJANGO_SETTINGS_MODULE"]


def scan_static_files_once() -> None:
    """Every test client makes the middleware anew, which would read all static files from the disk each time."""
    scan = ServeStaticMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def remembered(self: ServeStaticMiddleware) -> None:
        if not found:
            scan(self)
            found.update(self.files)
        self.files.update(found)

    ServeStaticMiddleware.add_files_from_finders = remembered  # type: ignore[method-assign]


scan_static_files_once()
