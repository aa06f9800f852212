"""A stream whose events are not kept any more, told from what is stored with its run: `fold` of it is the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from chat import protocol
from chat.models import Run
from chat.protocol import RESULT, Entry


def entries(run: Run) -> list[Entry]:
    """The whole stream of a run that has ended, from sequence 1, its terminal entry last."""
    started = {
        "state": "started",
        "requested": run.requested_model,
        "model": run.served_model,
        "credential": run.credential_source,
        "hint": run.credential_hint,
        "recalled": True,
    }
    parts = run.answer.parts if run.answer is not None else run.output.get("parts", [])
    said = [("status", started), *unfold(parts), _end(run)]
    return [Entry(sequence, *event) for sequence, event in enumerate(said, start=1)]


def unfold(parts: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Events that fold into these parts. Pure."""
    found: list[tuple[str, dict[str, Any]]] = []
    for part in parts:
        match part["type"]:
            case "text":
                found.append(("content_delta", {"delta": part["text"], **_given(part, ("index",))}))
            case "reasoning":
                found.append(("reasoning_delta", {"delta": part["text"], "kind": part["kind"]}))
            case "tool_call":
                call = {"tool_call_id": part["id"]}
                found.append(("tool_call_start", {**call, "name": part["name"], "args": part["args"]}))
                if "result" in part:
                    found.append(("tool_call_result", {**call, **_given(part, RESULT)}))
    return found


def _given(part: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: part[name] for name in names if name in part}


def _end(run: Run) -> tuple[str, dict[str, Any]]:
    provider_id, _, model_id = run.served_model.partition("/")
    whose = {"provider_id": provider_id, "model_id": model_id}
    if run.state == Run.State.STOPPED:
        return "done", protocol.stopped(**whose)
    if run.error:
        return "error", run.error
    return "done", {"reason": "completed", "finish_reason": run.finish_reason, "usage": run.usage, **whose}
