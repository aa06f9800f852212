"""Sessions in the database that also end by their age: using one again and again does not keep it for ever.

Django reaches `SessionStore` by its name in `SESSION_ENGINE`.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db

BEGAN_KEY = "began"


class SessionStore(db.SessionStore):
    """Empty once the sign-in in it is older than `settings.SESSION_LONGEST` seconds."""

    def load(self) -> dict[str, Any]:
        found: dict[str, Any] = super().load()
        began = found.get(BEGAN_KEY)
        if began is not None and time.time() - began > settings.SESSION_LONGEST:
            self._session_key = None
            return {}
        return found


def begin(request: Any) -> None:
    """The person signs in: from here the age counts."""
    request.session[BEGAN_KEY] = time.time()
