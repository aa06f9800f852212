"""The structured flow: a JSON Schema and an input go out, a value that fits the schema comes back, with one repair."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.models import LanguageModel
from catalog.routing import Plan
from chat import outputs, schemas
from chat.database import in_db
from chat.execution import Outcome, begin, drive, end_user, provider_of, route
from chat.journal import Writer
from chat.models import Run
from chat.schemas import Fault
from chat.usage import added
from providers.contract import GenerateRequest, Message, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, FinishReason, Usage

DRAFTS = 2
DECLINED = frozenset({FinishReason.REFUSAL, FinishReason.CONTENT_BLOCKED})
SYSTEM = (
    "Answer with one JSON value that fits the JSON Schema below, and with nothing else: no words around it, no fence."
)
REPAIR = "This answer does not fit the JSON Schema:\n{faults}\nAnswer again with the corrected JSON and nothing else."


@dataclass(slots=True)
class Asked:
    """What the model is asked. `native` says that the provider itself holds the answer to the schema."""

    messages: tuple[Message, ...]
    name: str
    schema: Mapping[str, Any]
    native: bool
    end_user: str

    def request(self, repair: tuple[Message, ...] = ()) -> GenerateRequest:
        system = "" if self.native else f"{SYSTEM}\n\n{json.dumps(self.schema, ensure_ascii=False)}"
        wanted = (self.name, self.schema) if self.native else None
        messages = (*self.messages, *repair)
        return GenerateRequest("", messages, system=system, response_schema=wanted, end_user=self.end_user)


async def generate(run: Run, writer: Writer) -> Outcome:
    """Raises ProviderError: that of the provider, or `invalid_request` with the detail `invalid_output`."""
    where, asked = await in_db(_prepare, run)
    begin(run, writer, where)
    if not asked.native:
        writer.add("status", {"state": "downgraded", "reason": "not_supported"})
    repair: tuple[Message, ...] = ()
    run.output["faults"] = []
    for draft in range(DRAFTS):
        finished = await _draft(run, writer, where, asked, repair, draft)
        text = finished.message.text
        faults = await asyncio.to_thread(_judge, run, text, asked.schema)
        if not faults:
            return Outcome(Run.State.DONE, finished=replace(finished, usage=Usage(**run.usage)))
        run.output["faults"].append([{"path": fault.path, "message": fault.message} for fault in faults])
        if finished.reason in DECLINED:
            declined = "The model declined to answer."
            raise ProviderError(ErrorCode.CONTENT_BLOCKED, declined, provider_id=provider_of(run), partial=True)
        if draft + 1 < DRAFTS:
            announced = {"state": "repair", "attempt": draft + 2, "faults": run.output["faults"][-1]}
            writer.add("status", announced)
            repair = _repair(text, faults)
    raise _invalid(run, faults)


def _prepare(run: Run) -> tuple[Plan, Asked]:
    where = route(run)
    messages = tuple(Message(one["role"], (TextPart(text=one["text"]),)) for one in run.input["messages"])
    native = all(_supports(attempt.provider_id, attempt.model_id) for attempt in where.attempts)
    return where, Asked(messages, run.input["schema_name"], run.input["schema"], native, end_user(run))


def _supports(provider_id: str, model_id: str) -> bool:
    """Unless somebody knows better: a provider that refuses is asked again without its help."""
    rows = LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id)
    return not rows.filter(supports_structured=False).exists()


async def _draft(
    run: Run, writer: Writer, where: Plan, asked: Asked, repair: tuple[Message, ...], draft: int
) -> Finished:
    try:
        finished = await drive(run, writer, where, asked.request(repair), index=draft)
    except ProviderError as error:
        if not asked.native or error.code != ErrorCode.INVALID_REQUEST or error.partial or error.detail:
            raise
        # Schemas of one provider are not those of another: what it does not take, we check ourselves.
        asked.native = False
        writer.add("status", {"state": "downgraded", "reason": "refused"})
        finished = await drive(run, writer, where, asked.request(repair), index=draft)
    run.usage = added(run.usage, finished.usage)
    return finished


def _judge(run: Run, text: str, schema: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the text; nothing, and its value is the run's. Raises ProviderError for an unusable schema."""
    try:
        value = outputs.read(text)
        faults = schemas.faults(value, schema)
    except outputs.NotJson as error:
        return [Fault("", str(error))]
    except schemas.SchemaRefused as error:
        raise ProviderError(
            ErrorCode.INVALID_REQUEST, str(error), provider_id=provider_of(run), detail="invalid_schema"
        ) from None
    if not faults:
        run.output["value"] = value
    return faults


def _repair(text: str, faults: list[Fault]) -> tuple[Message, ...]:
    said = REPAIR.format(faults="\n".join(f"- {fault}" for fault in faults))
    again = Message("user", (TextPart(text=said),))
    return (Message("assistant", (TextPart(text=text),)), again) if text.strip() else (again,)


def _invalid(run: Run, faults: list[Fault]) -> ProviderError:
    message = f"The answer does not fit the schema, in {DRAFTS} tries. {faults[0]}"
    return ProviderError(
        ErrorCode.INVALID_REQUEST, message, provider_id=provider_of(run), detail="invalid_output", partial=True
    )
