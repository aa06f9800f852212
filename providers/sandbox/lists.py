"""The answers to "which models are there", in each vendor's shape, one model or all of them."""

from typing import Any

from providers.sandbox.asks import JSON
from providers.sandbox.listing import MODELS, Model, find
from providers.sandbox.wires import Wire, openai_errors
from providers.sandbox.wires.gemini_errors import refuse, unknown_model

CREATED = 1_767_225_600  # 2026-01-01: a list must look the same each time


def listed(wire: Wire, model_id: str, query: dict[str, str]) -> JSON:
    """Raises Refused for a model that does not exist."""
    shape = _gemini if wire.provider == "gemini" else _openai
    if not model_id:
        return _pages(query) if wire.provider == "gemini" else {"object": "list", "data": _all(wire.provider)}
    found = find(wire.provider, model_id)
    if found is None:
        refused = unknown_model if wire.provider == "gemini" else openai_errors.unknown_model
        refused(model_id)
    return shape(found)


def _all(provider: str) -> list[JSON]:
    return [_openai(model) for model in MODELS[provider]]


def _openai(model: Model) -> JSON:
    return {"id": model.model_id, "object": "model", "created": CREATED, "owned_by": "sandbox"}


def _gemini(model: Model) -> JSON:
    actions = ["generateContent", "countTokens"] if model.generates else ["embedContent"]
    shown: dict[str, Any] = {
        "name": f"models/{model.model_id}",
        "version": "001",
        "displayName": model.label,
        "description": "Answers by fixed rules; no model is called.",
        "inputTokenLimit": model.context,
        "outputTokenLimit": model.output,
        "supportedGenerationMethods": actions,
    }
    sampling = {"temperature": 1, "maxTemperature": 2, "topP": 0.95, "topK": 64}
    return shown | (sampling if model.generates else {}) | ({"thinking": True} if model.reasons else {})


def _pages(query: dict[str, str]) -> JSON:
    size, start = query.get("pageSize", "50"), query.get("pageToken", "0")
    if not size.isdigit() or not start.isdigit():
        refuse("Invalid value at 'page_size' or 'page_token'.")
    models = MODELS["gemini"]
    end = int(start) + max(int(size), 1)
    page: JSON = {"models": [_gemini(model) for model in models[int(start) : end]]}
    return page | ({"nextPageToken": str(end)} if end < len(models) else {})
