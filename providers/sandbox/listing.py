"""The models the sandbox offers, by provider, each with what its vendor's list would say; names say sandbox plainly."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """`reasons` is whether it reasons without being asked; `generates` is false for what a chat client must filter."""

    model_id: str
    label: str
    context: int
    output: int
    reasons: bool = False
    generates: bool = True


MODELS: dict[str, tuple[Model, ...]] = {
    "openai": (
        Model("gpt-sandbox", "GPT Sandbox", 400_000, 100_000),
        Model("gpt-sandbox-mini", "GPT Sandbox Mini", 128_000, 16_384),
        Model("gpt-sandbox-reasoning", "GPT Sandbox Reasoning", 400_000, 100_000, reasons=True),
        Model("text-embedding-sandbox", "Embedding Sandbox", 8_192, 0, generates=False),
        Model("tts-sandbox", "Speech Sandbox", 4_096, 0, generates=False),
    ),
    "openai_compatible": (Model("compatible-sandbox", "Compatible Sandbox", 128_000, 8_192),),
    "gemini": (
        Model("gemini-sandbox-pro", "Gemini Sandbox Pro", 1_048_576, 65_536, reasons=True),
        Model("gemini-sandbox-flash", "Gemini Sandbox Flash", 1_048_576, 65_536),
        Model("gemini-sandbox-embedding", "Gemini Sandbox Embedding", 2_048, 1, generates=False),
    ),
}


def find(provider: str, model_id: str) -> Model | None:
    return next((model for model in MODELS[provider] if model.model_id == model_id), None)
