"""The oldest versions that are safe to run. Scanners need the network; this does not."""

import tomllib
from importlib.metadata import distribution, distributions, version
from pathlib import Path

import pytest
from packaging.version import Version

from tests.guards.source import ROOT

FLOORS = {
    "django": "6.1.3",  # CVE-2026-84429, CVE-2026-108147: request bodies and headers under ASGI; CVE-2026-113593: Vary
    "daphne": "4.2.3",  # CVE-2026-44545: unbounded WebSocket frames; CVE-2026-44546: header smuggling on the upgrade
    "django-allauth": "65.21.1",  # user verification of passkeys enforced; login records of an aborted attempt
    "djangorestframework": "3.18.3",  # CVE-2024-21520: cross-site scripting in the browsable API (which is off here)
    "oauthlib": "4.0.1",  # signature checks of signed requests
    "cryptography": "50.0.2",  # bundles a patched OpenSSL
    "channels-redis": "4.3",  # reconnects its pub/sub reader after Redis was away
    "nh3": "0.3",  # the sanitiser of every answer
}
# A package that Parley must never depend on, directly or not: releases of 2026 carried a credential stealer.
REFUSED = {"litellm"}
# Start-up hooks run in every process before any of our code.
STARTUP_HOOKS = {"_virtualenv.pth", "distutils-precedence.pth", "a1_coverage.pth", "coverage.pth"}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_an_installed_package_is_not_older_than_its_floor(package: str, floor: str) -> None:
    assert Version(version(package)) >= Version(floor)


def test_what_is_refused_is_nowhere_in_the_lock() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert {package["name"] for package in locked} & REFUSED == set()


def test_every_locked_file_has_a_hash() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    files = [file for package in locked for file in [*package.get("wheels", []), package.get("sdist")] if file]
    assert len(files) > 100
    assert [file for file in files if not file.get("hash", "").startswith("sha256:")] == []


def test_no_package_hooks_into_the_start_of_every_process() -> None:
    site = Path(str(distribution("django").locate_file("")))
    assert {path.name for path in site.glob("*.pth")} - STARTUP_HOOKS == set()


def test_the_lock_and_the_environment_agree() -> None:
    locked = {
        package["name"]: package["version"]
        for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "version" in package
    }
    installed = {found.name.lower().replace("_", "-"): found.version for found in distributions()}
    assert {name: have for name, have in installed.items() if name in FLOORS and locked.get(name) != have} == {}
