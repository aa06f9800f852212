"""The house's own source files, as guards read them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("project", "accounts", "providers", "catalog", "chat")
NOT_OURS = {"migrations", "__pycache__", "vendor"}


def modules(*folders: str) -> Iterator[Path]:
    """Python files under `folders`, migrations excepted, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not NOT_OURS & set(path.parts):
                yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
