"""Packages as an installer leaves them: a folder on the path, and its metadata beside it."""

import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers import registry, runtime

HERE = Path(__file__).parent
type Install = Callable[[str], None]


def metadata(name: str, points: str, where: Path) -> None:
    folder = where / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(points)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages; the registry is read anew, before and after."""
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.providers.cache_clear()
    before = set(sys.modules)
    yield tmp_path
    registry.providers.cache_clear()
    registry.runtime.cache_clear()
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"acme_provider", "broken_provider"}:
            del sys.modules[name]
    runtime._imported.pop("acme", None)


@pytest.fixture
def acme(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of this folder is installed, with the entry points that its own pyproject declares."""
    project = tomllib.loads((HERE / "acme_provider" / "pyproject.toml").read_text())["project"]
    points = project["entry-points"][registry.ENTRY_POINT_GROUP]
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    metadata(project["name"].replace("-", "_"), f"[{registry.ENTRY_POINT_GROUP}]\n{lines}\n", fresh)
    monkeypatch.syspath_prepend(str(HERE / "acme_provider"))


@pytest.fixture
def broken(fresh: Path) -> Install:
    """Install a package whose module is this source, and whose entry point is `broken_provider:LINE`."""

    def install(source: str) -> None:
        (fresh / "broken_provider.py").write_text(source)
        metadata("broken_provider", f"[{registry.ENTRY_POINT_GROUP}]\nbroken = broken_provider:LINE\n", fresh)

    return install
