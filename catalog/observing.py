"""What answered runs show a model to be able to do; a statement of its own, weaker than the provider's."""

from collections.abc import Iterable, Set

from django.db import transaction
from django.utils import timezone

from catalog.evidence import say
from catalog.models import LanguageModel
from providers.contract import MediaPart, Message, Part, ReasoningPart, ToolCallPart

# What this process has written down already, so that only news costs a query.
_noted: set[tuple[str, str]] = set()


def shown(sent: Iterable[Message], answer: Message) -> frozenset[str]:
    """What an answered request made use of."""
    read = (part for message in sent if message.role == "user" for part in message.parts)
    return frozenset(ability for ability in map(_ability, (*answer.parts, *read)) if ability)


def _ability(part: Part) -> str:
    match part:
        case ReasoningPart():
            return "reasoning"
        case ToolCallPart():
            return "tools"
        case MediaPart(media_type=media_type):
            return "vision" if media_type.startswith("image/") else "documents"
    return ""


def news(key: str, abilities: Set[str]) -> bool:
    """Whether any of it has not been noted by this process."""
    return any((key, ability) not in _noted for ability in abilities)


def saw(key: str, abilities: Set[str]) -> None:
    """A run of this model used these abilities, and was answered."""
    provider_id, _, model_id = key.partition("/")
    with transaction.atomic():
        rows = LanguageModel.objects.select_for_update()
        row = rows.filter(provider_id=provider_id, model_id=model_id).first()
        if row is not None and _add(row, abilities):
            row.save()
    _noted.update((key, ability) for ability in abilities)


def _add(row: LanguageModel, abilities: Set[str]) -> bool:
    today = timezone.now().date()
    added = [ability for ability in sorted(abilities) if say(row, ability, True, "observed", today)]
    return bool(added)
