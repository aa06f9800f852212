"""Reads data that is written as Python, without running it: literals, and calls as plain dictionaries."""

import ast
from typing import Any


def variable(source: str, name: str) -> Any:
    """What `source` assigns to `name`. Raises KeyError when it does not, ValueError for what is not data."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return _read(value)
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                return _read(value)
    raise KeyError(name)


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return _called(node)
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=each) | ast.Tuple(elts=each):
            return [_read(one) for one in each]
        case ast.Dict(keys=keys, values=values):
            return {_read(key): _read(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    raise ValueError(f"line {node.lineno}: {ast.dump(node)[:80]} is not data")


def _called(node: ast.Call) -> Any:
    match node:
        case ast.Call(func=ast.Attribute(attr="date"), args=[year, month, day]):
            return f"{_read(year):04}-{_read(month):02}-{_read(day):02}"
        case ast.Call(func=ast.Name(id="Decimal"), args=[value]):
            return str(_read(value))
        case ast.Call(func=ast.Name(id=kind), args=[], keywords=given):
            return {"is": kind} | {one.arg: _read(one.value) for one in given if one.arg}
    # What is not understood (the hour of a price by daytime, for example) is data all the same.
    return {"is": ast.unparse(node)}
