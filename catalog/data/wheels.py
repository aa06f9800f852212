"""The published packages that the data file is made from: opened as archives, never installed or imported."""

import contextlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

# Package and version; raise a version here, then run `manage.py build_catalog` and look at the difference.
SOURCES = {
    "langchain-openai": "1.7.4",
    "langchain-anthropic": "1.7.10",
    "langchain-google-genai": "4.4.2",
    "langchain-mistralai": "1.1.6",
    "litellm": "1.109.1",
    "genai-prices": "0.2.3",
}


class Missing(Exception):
    """A wheel, or a file in it, is not there."""


class Wheels:
    """The sources in one directory, `<package>-<version>-….whl`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def text(self, package: str, member: str) -> str:
        """One file of a package. Raises Missing."""
        stem = f"{package.replace('-', '_')}-{SOURCES[package]}-"
        found = sorted(self._directory.glob(f"{stem}*.whl"))
        if not found:
            raise Missing(f"There is no {stem}*.whl in {self._directory}.")
        with zipfile.ZipFile(found[0]) as archive:
            try:
                return archive.read(member).decode()
            except KeyError:
                raise Missing(f"{found[0].name} holds no {member}.") from None


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[Wheels]:
    yield Wheels(directory)


@contextlib.contextmanager
def download() -> Iterator[Wheels]:
    """Fetch the wheels with pip into a directory that is gone afterwards. Raises Missing when pip fails."""
    named = [f"{package}=={version}" for package, version in SOURCES.items()]
    with tempfile.TemporaryDirectory() as directory:
        command = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", directory, *named]
        if subprocess.run([sys.executable, "-m", *command], check=False).returncode:  # noqa: S603 - a literal
            raise Missing(f"pip could not download {', '.join(named)}; pass a directory of wheels instead.")
        yield Wheels(Path(directory))
