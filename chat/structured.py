"""Asking for a value instead of an answer: the bounds of what may be asked, the run queued for it, and what came of it.
How it is generated is `flows.structured`."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import naming
from catalog.models import Context
from chat import outputs, runs, schemas
from chat.models import Run
from chat.protocol import MAX_INPUT_CHARS, clean

NAME = "answer"
NAME_FORM = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
MOST_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """`messages` are (role, text) in order, the last of them a person's; `model` is `provider/model_id` or empty."""

    messages: Sequence[tuple[str, str]]
    schema: Any
    schema_name: str = NAME
    model: str = ""
    credential: str = ""
    idempotency_key: str = ""


def start(actor: Actor, asking: Asking) -> Run:
    """Queue the run. Raises Problem: 413 input_too_long, 422 input_empty, invalid_schema (extra `path`, a JSON Pointer
    into the schema) or model_not_found, 409 idempotency_conflict. The same key and body give the same run."""
    _check(actor, asking)
    digest = runs.digest_of({**asdict(asking), "idempotency_key": "", "context": Context.STRUCTURED})
    return runs.once(actor, asking.idempotency_key, digest, lambda: _create(actor, asking, digest))


def _check(actor: Actor, asking: Asking) -> None:
    length = sum(len(text) for _, text in asking.messages)
    if length > MAX_INPUT_CHARS:
        detail = f"An input may have {MAX_INPUT_CHARS:,} characters; this one has {length:,}."
        raise Problem(413, "input_too_long", "The input is too long.", detail)
    if not asking.messages or not asking.messages[-1][1].strip() or asking.messages[-1][0] != "user":
        raise Problem(422, "input_empty", "The input is empty.", "Say what the value is to be made of.")
    naming.check(actor, asking.model)
    naming.credential(actor, asking.credential, asking.model)
    try:
        schemas.check(asking.schema)
    except schemas.SchemaRefused as refused:
        path = schemas.pointer(refused.path)
        raise Problem(422, "invalid_schema", "The schema cannot be used.", str(refused), path=path) from None


def _create(actor: Actor, asking: Asking, digest: str) -> Run:
    stream_id = uuid.uuid4()
    said = [{"role": role, "text": clean(text)} for role, text in asking.messages if text.strip()]
    return Run.objects.create(
        stream_id=stream_id,
        context=Context.STRUCTURED,
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        branch=stream_id,
        requested_model=asking.model,
        input={"messages": said, "schema": outputs.storable(asking.schema), "schema_name": asking.schema_name}
        | naming.credential(actor, asking.credential, asking.model),
        idempotency_key=asking.idempotency_key,
        request_digest=digest,
    )


def get(actor: Actor, pk: UUID) -> Run:
    """Raises Problem 404, for a foreign run as for a missing one or one of another context."""
    found = Run.objects.visible_to(actor).filter(pk=pk, context=Context.STRUCTURED).first()
    if found is None:
        raise not_found()
    return found


@dataclass(frozen=True, slots=True)
class Draft:
    """One try: its text as it came, and what is wrong with it (path and message of each fault)."""

    raw: str
    faults: list[dict[str, str]]


def drafts(run: Run) -> list[Draft]:
    """What the model wrote, in order; the last one is the result. Empty while the run goes on."""
    texts: dict[int, str] = {}
    for part in run.output.get("parts", ()):
        if part["type"] == "text":
            texts[part.get("index", 0)] = texts.get(part.get("index", 0), "") + part["text"]
    faults = run.output.get("faults", [])
    return [Draft(text, faults[index] if index < len(faults) else []) for index, text in sorted(texts.items())]
