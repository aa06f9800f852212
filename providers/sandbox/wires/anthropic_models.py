"""Anthropic's list of models: every one with its limits and its capabilities, in pages that go on after an id."""

from providers.sandbox.asks import JSON
from providers.sandbox.listing import MODELS, Model
from providers.sandbox.wires.anthropic_errors import refuse
from providers.sandbox.wires.anthropic_options import EFFORTS

CREATED = "2026-01-01T00:00:00Z"  # a list must look the same each time
MOST = 1000


def shape(model: Model) -> JSON:
    thinks = {"adaptive": True, "enabled": True, "disabled": True, "between_tools": False}
    efforts = {name: {"supported": True} for name in EFFORTS}
    return {
        "type": "model",
        "id": model.model_id,
        "display_name": model.label,
        "created_at": CREATED,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": model.model_id.rpartition("-")[2],
        "max_input_tokens": model.context,
        "max_tokens": model.output,
        "capabilities": {
            **{name: {"supported": True} for name in ("image_input", "pdf_input", "structured_outputs")},
            **{name: {"supported": False} for name in ("batch", "citations", "code_execution", "server_tools")},
            "effort": {"supported": True, **efforts},
            "thinking": {
                "supported": model.reasons,
                "types": {name: {"supported": takes} for name, takes in thinks.items()},
            },
        },
    }


def page(query: dict[str, str]) -> JSON:
    """Raises Refused for a size that is none and for an id that is not in the list."""
    size, after = query.get("limit", "20"), query.get("after_id", "")
    if not size.isdigit() or not 1 <= int(size) <= MOST:
        refuse(f"limit: Input should be between 1 and {MOST}")
    models = MODELS["anthropic"]
    names = [model.model_id for model in models]
    if after and after not in names:
        refuse(f"after_id: {after} is not in the list")
    start = names.index(after) + 1 if after else 0
    shown = models[start : start + int(size)]
    return {
        "data": [shape(model) for model in shown],
        "has_more": start + len(shown) < len(models),
        "first_id": shown[0].model_id if shown else None,
        "last_id": shown[-1].model_id if shown else None,
    }
