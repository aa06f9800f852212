"""How much of what a model can read at once a branch takes up, from what was sent for its newest answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.models import LanguageModel
from chat import estimates
from chat.compaction import FULL
from chat.models import Message, Run

AMBER = 0.7


@dataclass(frozen=True, slots=True)
class Fill:
    """`tokens` of `window`, both about; `model` is the label of the model that would read them."""

    tokens: int
    window: int
    model: str

    @property
    def share(self) -> float:
        return self.tokens / self.window

    @property
    def percent(self) -> int:
        return round(self.share * 100)

    @property
    def state(self) -> str:
        """`ok`, `near` or `over`."""
        return "over" if self.share > 1 else "near" if self.share > AMBER else "ok"

    @property
    def dash(self) -> str:
        """Of a circle whose circumference is 41."""
        return f"{min(self.share, 1) * 41:.1f} 41"

    @property
    def compacts(self) -> bool:
        """Whether the next message would have older ones summarised."""
        return self.share > FULL


def fill_of(branch: Sequence[Message], key: str) -> Fill | None:
    """For the model `key`; None when nobody says what it reads, or nothing was sent yet. One query."""
    sent = _newest(branch)
    if not key or sent is None:
        return None
    provider_id, _, model_id = key.partition("/")
    rows = LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id)
    found = rows.values_list("context_window", "label").first()
    if found is None or not found[0]:
        return None
    run, answer = sent
    guessed = int(run.trace["tokens"]) + estimates.of_text(answer.text)
    same = run.served_model.partition("/")[0] == provider_id
    counted = run.usage.get("input_tokens") or 0
    factor = estimates.factor(provider_id, run.trace["tokens"], counted) if same else estimates.factor(provider_id)
    return Fill(round(guessed * factor), found[0], found[1])


def _newest(branch: Sequence[Message]) -> tuple[Run, Message] | None:
    for message in reversed(branch):
        run = getattr(message, "run", None)
        if isinstance(run, Run) and run.trace.get("tokens"):
            return run, message
    return None
