"""System checks that ask the database; they run where Django lets such checks run: before `migrate`, and with
`check --database`."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from accounts import vault


@register(Tags.database)
def what_is_stored_opens(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    refusal = vault.refusal() if databases else ""
    return [Error(refusal, id="accounts.E002")] if refusal else []
