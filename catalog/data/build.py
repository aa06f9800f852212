"""What the data file says of each model: the profiles first, then dates and efforts, prices, and our own overlay last.

Pure but for the reading: the same sources give the same bytes. `manage.py build_catalog` runs it.
"""

import json
import re
from pathlib import Path
from typing import Any, Protocol

from catalog.data import literals, pricing

HERE = Path(__file__).parent
TARGET = HERE / "models.json"
OVERLAY = HERE / "overlay.json"

PROFILES = {
    "openai": ("langchain-openai", "langchain_openai/data/_profiles.py"),
    "anthropic": ("langchain-anthropic", "langchain_anthropic/data/_profiles.py"),
    "gemini": ("langchain-google-genai", "langchain_google_genai/data/_profiles.py"),
    "mistral": ("langchain-mistralai", "langchain_mistralai/data/_profiles.py"),
}
LITELLM = "litellm/model_prices_and_context_window_backup.json"
PRICES = "genai_prices/data.py"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

# Their word for an ability, and ours.
ABILITIES = {
    "tool_calling": "tools",
    "image_inputs": "vision",
    "pdf_inputs": "documents",
    "reasoning_output": "reasoning",
    "structured_output": "structured",
    "temperature": "temperature",
}


class Sources(Protocol):
    def text(self, package: str, member: str) -> str: ...


type Entry = dict[str, Any]


def assemble(sources: Sources, overlay: Path = OVERLAY) -> dict[str, Any]:
    """{"made_from": versions, "models": {provider_id: {model_id: entry}}}, both levels sorted."""
    written = json.loads(overlay.read_text())
    known = json.loads(sources.text("litellm", LITELLM))
    priced = pricing.table(literals.variable(sources.text("genai-prices", PRICES), "providers"))
    models: dict[str, dict[str, Entry]] = {}
    for provider_id, (package, member) in PROFILES.items():
        profiles = literals.variable(sources.text(package, member), "_PROFILES")
        found = {name: _entry(name, profile) for name, profile in profiles.items() if _chats(name, profile)}
        for name, entry in found.items():
            entry.update(_more(known.get(f"{provider_id}/{name}") or known.get(name) or {}, entry))
            if prices := priced(provider_id, name):
                entry["prices"] = prices
        for name, ours in written["models"].get(provider_id, {}).items():
            found[name] = found.get(name, {}) | ours
        models[provider_id] = dict(sorted(found.items()))
    return {"written_on": written["written_on"], "models": models}


def render(data: dict[str, Any]) -> str:
    """One model a line, so that a change reads as a change."""
    lines = [f'{{"written_on": {json.dumps(data["written_on"])}, "models": {{']
    for provider_id, models in data["models"].items():
        lines.append(f"{json.dumps(provider_id)}: {{")
        lines += [f"{json.dumps(name)}: {json.dumps(entry, sort_keys=True)}," for name, entry in models.items()]
        lines[-1] = lines[-1].rstrip(",")
        lines.append("},")
    lines[-1] = "}"
    return "\n".join([*lines, "}}", ""])


def _chats(name: str, profile: Entry) -> bool:
    """Whether it takes text and gives text, and nothing else."""
    speaks = profile.get("text_inputs", True) and profile.get("text_outputs", True) and "embed" not in name
    return bool(speaks) and not any(profile.get(f"{other}_outputs") for other in ("image", "audio", "video"))


def _entry(name: str, profile: Entry) -> Entry:
    entry: Entry = {"label": profile.get("name") or name, "released": profile.get("release_date")}
    entry["context_window"] = profile.get("max_input_tokens") or None
    entry["max_output_tokens"] = profile.get("max_output_tokens") or None
    entry["can"] = sorted(ours for theirs, ours in ABILITIES.items() if profile.get(theirs) is True)
    entry["cannot"] = sorted(ours for theirs, ours in ABILITIES.items() if profile.get(theirs) is False)
    entry["efforts"] = _in_order(profile.get("reasoning_effort_levels") or ())
    return {name: value for name, value in entry.items() if value}


def _more(known: Entry, entry: Entry) -> Entry:
    """What the profile leaves open: when the model retires, and how hard it can be told to think."""
    more: Entry = {}
    if re.fullmatch(r"\d{4}-\d\d-\d\d", retires := str(known.get("deprecation_date", ""))):
        more["retires"] = retires
    said = [level for level in EFFORTS if known.get(f"supports_{level}_reasoning_effort") is True]
    told = known.get("reasoning_effort_levels") or said
    if told and "efforts" not in entry and "reasoning" in entry.get("can", ()):
        more["efforts"] = _in_order(told)
    return more


def _in_order(levels: Any) -> list[str]:
    return [level for level in EFFORTS if level in levels]
