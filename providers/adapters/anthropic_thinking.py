"""How each generation of Claude is asked to think, in the words that it takes; the others answer 400."""

import re
from typing import Any

from providers.contract import GenerateRequest

# They think within a budget and know no effort. Later generations decide for themselves, earlier ones do not think.
_BUDGETED = re.compile(r"claude-(opus|sonnet|haiku)-4(-[0-5])?([-@]\d{8})?(?![-@]?\d)")
_THOUGHTLESS = re.compile(r"claude-([0-3](?!\d)|instant|(opus|sonnet|haiku)-[0-3](?!\d))")

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 24576}
_SMALLEST_BUDGET = 1024
_EFFORTS = {"minimal": "low"}


def thinking(request: GenerateRequest, *, limit: int, unopened: bool) -> dict[str, Any] | None:
    """What to send as `thinking`, None for nothing.

    `limit` is the most tokens of the answer, thoughts included; `unopened` says that the tool loop the request goes on
    with began without a thought, which the budgeted models do not take.
    """
    effort = request.reasoning_effort
    if effort == "none":
        return {"type": "disabled"} if _adaptive(request) else None
    if request.tools and request.tool_choice not in ("auto", "none"):
        # A forced call leaves no room for thoughts.
        return None
    if _BUDGETED.search(request.model_id):
        budget = min(_BUDGETS.get(effort or "", 0), limit - 1)
        return {"type": "enabled", "budget_tokens": budget} if budget >= _SMALLEST_BUDGET and not unopened else None
    if not _adaptive(request) or (effort is None and limit < _SMALLEST_BUDGET):
        return None
    # Without `display`, the newest models think and keep it to themselves.
    return {"type": "adaptive", "display": "summarized"}


def effort(request: GenerateRequest) -> str | None:
    """What to send as `output_config.effort`."""
    asked = request.reasoning_effort
    if asked is None or asked == "none" or not _adaptive(request):
        return None
    return _EFFORTS.get(asked, asked)


def _adaptive(request: GenerateRequest) -> bool:
    """Claude from 4.6 on; of a model by another name only when somebody asks for it."""
    if _BUDGETED.search(request.model_id) or _THOUGHTLESS.search(request.model_id):
        return False
    return "claude" in request.model_id or request.reasoning_effort not in (None, "none")
