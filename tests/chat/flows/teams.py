"""The example specialists of a workspace, with models of three providers."""

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import specialists
from chat.models import Specialist

ASK = "Ask the specialists what a lease is"
MODELS = {
    "researcher": "gemini/gemini-sandbox-flash",
    "writer": "anthropic/claude-sandbox-haiku",
    "reviewer": "",
}


def team(actor: Actor, **models: str) -> list[Specialist]:
    """The three examples, with models of three providers."""
    specialists.add_examples(actor.workspace_id)
    for slug, key in (MODELS | models).items():
        model = LanguageModel.objects.filter(model_id=key.partition("/")[2]).first()
        Specialist.objects.filter(slug=slug, workspace_id=actor.workspace_id).update(model=model)
    return specialists.available(actor)
