"""A door finds rows through `visible_to(actor)`: a foreign id and a missing one are the same nothing."""

import ast
from pathlib import Path

import pytest

from tests.guards.source import APPS, modules, name, tree

DOORS = {"views.py", "api.py", "consumers.py", "sse.py", "forms.py", "panels.py", "presentation.py"}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"}
# Rows that belong to nobody in particular: the installation's catalog.
EVERYBODYS = {"LanguageModel", "ContextDefault", "ModelAlias"}
SCOPED = {"visible_to", "none", "purge_and_list"}

FILES = [path for path in modules(*APPS) if path.name in DOORS or path.parent.name in {"views", "api"}]


def unscoped(module: ast.Module, place: str) -> list[str]:
    """Look-ups in this module that name a model without saying for whom."""
    parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}:
            model = node.value.id if isinstance(node.value, ast.Name) else "?"
            if model not in EVERYBODYS and not says_for_whom(chain(node, parents)):
                found.append(f"{place}:{node.lineno} {model}.objects")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in SHORTCUTS
            and "visible_to" not in ast.unparse(node.args[0])
            and not says_for_whom([node])
        ):
            found.append(f"{place}:{node.lineno} {node.func.id}")
    return found


def says_for_whom(links: list[ast.AST]) -> bool:
    """Whether the chain is narrowed to an actor, or to the very person who asks."""
    for link in links:
        if isinstance(link, ast.Attribute) and link.attr in SCOPED:
            return True
        if isinstance(link, ast.Call):
            for given in link.keywords:
                if given.arg in {"user", "user_id"} or ast.unparse(given.value).startswith("actor."):
                    return True
    return False


def chain(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> list[ast.AST]:
    """The attributes and calls that follow `node` one after another."""
    links: list[ast.AST] = []
    while isinstance(above := parents.get(node), ast.Attribute | ast.Call | ast.Await):
        if isinstance(above, ast.Call) and above.func is not node:
            break
        links.append(above)
        node = above
    return links


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_door_looks_up_only_what_its_actor_may_see(path: Path) -> None:
    assert unscoped(tree(path), name(path)) == []


def test_the_guard_sees_what_it_is_for() -> None:
    bad = "Run.objects.get(pk=1)\nget_object_or_404(Run, pk=1)\nprint(Run.objects.all(), visible_to(actor))\n"
    good = "Run.objects.visible_to(actor).get(pk=1)\nget_object_or_404(Run, pk=1, user=me)\n"
    assert sorted(unscoped(ast.parse(bad), "x")) == ["x:1 Run.objects", "x:2 get_object_or_404", "x:3 Run.objects"]
    assert unscoped(ast.parse(good), "x") == []
