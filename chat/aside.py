"""Where the notes on the way to an answer are written: nowhere that anybody reads."""

from typing import Any

from chat.journal import Writer
from chat.protocol import Fold


class Aside:
    """Where a request writes that nobody reads while it goes on; a change of route is passed on all the same."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.fold = Fold()

    def add(self, event_type: str, data: dict[str, Any]) -> None:
        if event_type == "status":
            self._writer.add(event_type, data)
        else:
            self.fold.add(event_type, data)
