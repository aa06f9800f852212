"""A file can be read in one sitting, a function on one screen, and a name says what lives there."""

import ast

from tests.guards.source import APPS, modules, name, tree

MODULE_LINES = 300
FUNCTION_LINES = 50
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "services", "misc"}


def test_no_module_is_longer_than_its_wall() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in modules(*APPS, "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {}
    for path in modules(*APPS):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long[f"{name(path)}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_every_module_says_what_lives_there() -> None:
    silent = [name(path) for path in modules(*APPS) if tree(path).body and ast.get_docstring(tree(path)) is None]
    assert [path for path in silent if not path.endswith("/apps.py")] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name(path) for path in modules(*APPS) if EMPTY_NAMES & {path.stem, *path.parent.parts[-2:]}] == []


def test_there_is_one_broad_except_in_the_house() -> None:
    broad = [
        f"{name(path)}:{node.lineno}"
        for path in modules(*APPS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    assert len(broad) <= 1, broad
