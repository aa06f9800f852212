"""The API described: its OpenAPI document, and the same as a page for people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.protocol import EVENT_TYPES
from project.schema import CODES

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    description: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    sent: list[Field]
    outcomes: list[Outcome]
    curl: str


@extend_schema(exclude=True)
class SchemaView(APIView):
    """The OpenAPI 3.1 document, for every signed-in person and every token."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response(document())


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    origin = f"{request.scheme}://{request.get_host()}"
    context = {"operations": list(operations(document(), origin)), "codes": CODES, "events": sorted(EVENT_TYPES)}
    return render(request, "project/api_docs.html", context)


@cache
def document() -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415 - few processes are ever asked for it

    schema: dict[str, Any] = SchemaGenerator(api_version="1").get_schema(request=None, public=True)
    return schema


def operations(schema: dict[str, Any], origin: str) -> Iterator[Operation]:
    """Every operation of the document, in the order of its paths."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(schema, origin + path, path, method, methods[method])


def _operation(schema: dict[str, Any], url: str, path: str, method: str, said: dict[str, Any]) -> Operation:
    description = said.get("description", "")
    summary, _, rest = description.partition("\n")
    if "summary" in said:
        summary, rest = said["summary"], description
    body = _content(said.get("requestBody", {}))
    sent = list(fields(schema, body))
    return Operation(
        anchor=said["operationId"],
        method=method.upper(),
        path=path,
        summary=plain(summary),
        description=plain(rest),
        parameters=[_parameter(schema, one) for one in said.get("parameters", [])],
        sent=sent,
        outcomes=[
            Outcome(status, one.get("description", ""), list(fields(schema, _content(one))))
            for status, one in said["responses"].items()
            if status != "default"
        ],
        curl=curl(method, url, _example(schema, body)),
    )


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    for kind in holder.get("content", {}).values():
        schema: dict[str, Any] = kind.get("schema", {})
        return schema
    return {}


def _parameter(schema: dict[str, Any], said: dict[str, Any]) -> Field:
    name = said["name"] if said["in"] != "header" else f"{said['name']} (header)"
    return Field(name, kind_of(schema, said["schema"]), said.get("required", False), plain(said.get("description", "")))


def plain(text: str) -> str:
    """Docstrings mark names with backticks; the page does without."""
    return text.replace("`", "").strip()


def resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref` and a lone `allOf` to what they stand for."""
    while True:
        if "$ref" in part:
            part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        elif len(part.get("allOf", [])) == 1:
            part = part["allOf"][0]
        else:
            return part


def fields(schema: dict[str, Any], part: dict[str, Any], prefix: str = "") -> Iterator[Field]:
    """The fields of an object, and one level below it: `results[].id`."""
    part = resolve(schema, part)
    if part.get("type") == "array":
        part = resolve(schema, part["items"])
    required = part.get("required", [])
    for name, said in part.get("properties", {}).items():
        inner = resolve(schema, said)
        description = said.get("description") or inner.get("description", "")
        yield Field(prefix + name, kind_of(schema, said), name in required, plain(description))
        if not prefix and inner.get("type") == "array":
            yield from fields(schema, inner["items"], f"{name}[].")


def kind_of(schema: dict[str, Any], part: dict[str, Any]) -> str:
    """A type in a few words: `string (uuid)`, `array of Message`, `"a" or "b"`."""
    if "$ref" in part and "enum" not in resolve(schema, part):
        return str(part["$ref"].rpartition("/")[2])
    part = resolve(schema, part)
    if "enum" in part:
        return " or ".join(json.dumps(value) for value in part["enum"] if value is not None)
    for several in ("oneOf", "anyOf"):
        if several in part:
            return " or ".join(dict.fromkeys(kind_of(schema, one) for one in part[several]))
    kinds = part.get("type", "any")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if kind == "array":
        return f"array of {kind_of(schema, part['items'])}"
    return f"{kind} ({part['format']})" if "format" in part else kind


def _example(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The smallest body that could be sent: required fields, or the first free text where none is."""
    part = resolve(schema, part)
    properties = part.get("properties", {})
    texts = [name for name, said in properties.items() if resolve(schema, said).get("type") == "string"]
    free = [name for name in texts if "enum" not in resolve(schema, properties[name])]
    wanted = part.get("required") or free[:1]
    return {name: _value(resolve(schema, properties[name])) for name in wanted if name in properties}


def _value(part: dict[str, Any]) -> Any:
    if "enum" in part:
        return part["enum"][0]
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(str(part.get("type")), "…")


def curl(method: str, url: str, body: dict[str, Any]) -> str:
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}{url}", '  -H "Authorization: Bearer $TOKEN"']
    if url.endswith("/events"):
        lines[0] = lines[0].replace("curl ", "curl -N ")
    if body:
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{json.dumps(body, ensure_ascii=False)}'"]
    return " \\\n".join(lines)
