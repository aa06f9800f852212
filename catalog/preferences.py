"""Which model is a good first choice when nobody chose one; a name that no provider lists any more is passed over."""

from catalog.models import Context, LanguageModel
from providers import registry

# Balanced models of each vendor, newest first: good at conversation, fast, not the dearest.
BALANCED = (
    "openai/gpt-6.2-sol",
    "anthropic/claude-sonnet-5-5",
    "gemini/gemini-3.8-flash",
    "mistral/mistral-medium-latest",
    "openai/gpt-6.1-sol",
    "openai/gpt-6-sol",
    "gemini/gemini-3.7-flash",
    "gemini/gemini-flash-latest",
    "openai/gpt-5.6-sol",
    "openai/gpt-5.5",
)
# Small ones, for titles and summaries.
SMALL = (
    "openai/gpt-6-luna",
    "anthropic/claude-haiku-5-5",
    "gemini/gemini-3.5-flash-lite",
    "mistral/mistral-small-latest",
    "gemini/gemini-flash-lite-latest",
    "openai/gpt-5.6-luna",
)
BY_CONTEXT = {Context.SUMMARY.value: SMALL + BALANCED}


def _places(names: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


_PLACES = {"": _places(BALANCED)} | {context: _places(names) for context, names in BY_CONTEXT.items()}

type Rank = tuple[bool, int, int, str]


def rank(model: LanguageModel, context: str) -> Rank:
    """Sorts the best first: real before sandbox, preferred ones in their order, then providers and models as shown."""
    order = {name: place for place, name in enumerate(registry.providers())}
    preferred = _PLACES.get(context, _PLACES[""])
    provider = order.get(model.provider_id, len(order))
    return model.sandbox, preferred.get(model.key, len(preferred)), provider, model.model_id
