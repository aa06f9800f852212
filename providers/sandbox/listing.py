"""The models the sandbox offers, by provider, each with what its vendor's list would say; names say sandbox plainly."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """`reasons` is whether it reasons without being asked; `generates` is false for what a chat client must filter;
    `aliases` are other names it answers to, where the vendor lists those too."""

    model_id: str
    label: str
    context: int
    output: int
    reasons: bool = False
    generates: bool = True
    aliases: tuple[str, ...] = ()


MODELS: dict[str, tuple[Model, ...]] = {
    "openai": (
        Model("gpt-sandbox", "GPT Sandbox", 400_000, 100_000),
        Model("gpt-sandbox-mini", "GPT Sandbox Mini", 128_000, 16_384),
        Model("gpt-sandbox-reasoning", "GPT Sandbox Reasoning", 400_000, 100_000, reasons=True),
        Model("text-embedding-sandbox", "Embedding Sandbox", 8_192, 0, generates=False),
        Model("tts-sandbox", "Speech Sandbox", 4_096, 0, generates=False),
    ),
    "anthropic": (
        Model("claude-sandbox-opus", "Claude Sandbox Opus", 1_000_000, 128_000, reasons=True),
        Model("claude-sandbox-haiku", "Claude Sandbox Haiku", 200_000, 64_000),
    ),
    "openai_compatible": (Model("compatible-sandbox", "Compatible Sandbox", 128_000, 8_192),),
    "gemini": (
        Model("gemini-sandbox-pro", "Gemini Sandbox Pro", 1_048_576, 65_536, reasons=True),
        Model("gemini-sandbox-flash", "Gemini Sandbox Flash", 1_048_576, 65_536),
        Model("gemini-sandbox-embedding", "Gemini Sandbox Embedding", 2_048, 1, generates=False),
    ),
    "mistral": (
        Model("mistral-sandbox-large", "Mistral Sandbox Large", 262_144, 0, aliases=("mistral-sandbox-large-2611",)),
        Model("mistral-sandbox-small", "Mistral Sandbox Small", 131_072, 0, aliases=("mistral-sandbox-small-2611",)),
        Model("magistral-sandbox", "Magistral Sandbox", 131_072, 0, reasons=True),
        Model("mistral-sandbox-embed", "Mistral Sandbox Embed", 8_192, 0, generates=False),
    ),
}


def find(provider: str, model_id: str) -> Model | None:
    return next((model for model in MODELS[provider] if model_id in (model.model_id, *model.aliases)), None)
