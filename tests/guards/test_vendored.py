"""Files of other people are the files that were reviewed, and each comes with its licence."""

import hashlib
import tomllib

from tests.guards.source import ROOT

VENDOR = ROOT / "project/static/parley/vendor"
PACKAGES = tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]


def test_every_served_file_has_the_checksum_that_was_noted() -> None:
    noted = {path: digest for package in PACKAGES for path, digest in package["sha256"].items()}
    there = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "vendor.toml"
    }
    assert there == noted


def test_every_package_has_a_licence_beside_it_and_a_line_in_the_list() -> None:
    listed = (ROOT / "THIRD_PARTY.md").read_text()
    for package in PACKAGES:
        assert (VENDOR / package["name"] / package["version"] / "LICENSE").is_file()
        assert package["npm"] in listed
        assert package["version"] in listed
