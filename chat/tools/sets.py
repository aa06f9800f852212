"""Which tools a run has."""

from catalog.models import LanguageModel
from chat.database import in_db
from chat.models import Run
from chat.tools import clock
from chat.tools.contract import Tool


async def toolset_for(run: Run) -> tuple[Tool, ...]:
    """None for a model that is not known to take any."""
    return (clock.TOOL,) if await in_db(_takes_tools, run.served_model) else ()


def _takes_tools(key: str) -> bool:
    provider_id, _, model_id = key.partition("/")
    rows = LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id)
    return rows.filter(supports_tools=True).exists()
