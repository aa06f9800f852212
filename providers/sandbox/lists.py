"""The answers to "which models are there", in each vendor's shape, one model or all of them."""

from collections.abc import Callable
from typing import Any, NoReturn

from providers.sandbox.asks import JSON
from providers.sandbox.listing import MODELS, Model, find
from providers.sandbox.wires import Wire, anthropic_errors, anthropic_models, mistral_errors, openai_errors
from providers.sandbox.wires.gemini_errors import refuse, unknown_model

CREATED = 1_767_225_600  # 2026-01-01: a list must look the same each time


def listed(wire: Wire, model_id: str, query: dict[str, str]) -> JSON:
    """Raises Refused for a model that does not exist."""
    if not model_id:
        pages = _PAGES.get(wire.provider)
        return pages(query) if pages else {"object": "list", "data": _all(wire.provider)}
    found = find(wire.provider, model_id)
    if found is None:
        _UNKNOWN.get(wire.provider, openai_errors.unknown_model)(model_id)
    return _SHAPES.get(wire.provider, _openai)(found)


def _all(provider: str) -> list[JSON]:
    if provider != "mistral":
        return [_openai(model) for model in MODELS[provider]]
    cards = [(_mistral(model), model.aliases) for model in MODELS[provider]]
    return [row for card, aliases in cards for row in (card, *(_under(card, alias) for alias in aliases))]


def _mistral(model: Model) -> JSON:
    """One card; the list has one for each name of a model, and each names the others."""
    chats = {"completion_chat": model.generates, "function_calling": model.generates, "vision": model.generates}
    return {
        "id": model.model_id,
        "object": "model",
        "created": CREATED,
        "owned_by": "mistralai",
        "capabilities": chats | {"reasoning": model.reasons, "completion_fim": False, "fine_tuning": False},
        "name": model.model_id,
        "description": "Answers by fixed rules; no model is called.",
        "max_context_length": model.context,
        "aliases": list(model.aliases),
        "deprecation": None,
        "default_model_temperature": 0.3,
        "type": "base",
    }


def _under(card: JSON, alias: str) -> JSON:
    others = [card["id"], *(name for name in card["aliases"] if name != alias)]
    return card | {"id": alias, "aliases": others}


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


_PAGES: dict[str, Callable[[dict[str, str]], JSON]] = {"anthropic": anthropic_models.page, "gemini": _pages}
_SHAPES: dict[str, Callable[[Model], JSON]] = {
    "anthropic": anthropic_models.shape,
    "gemini": _gemini,
    "mistral": _mistral,
}
_UNKNOWN: dict[str, Callable[[str], NoReturn]] = {
    "anthropic": anthropic_errors.unknown_model,
    "gemini": unknown_model,
    "mistral": mistral_errors.unknown_model,
}
