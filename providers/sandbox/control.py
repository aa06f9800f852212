"""The control endpoint: arming faults and reading what reached the sandbox; it speaks to programs on this machine."""

import json
from typing import Any

from providers.sandbox.connection import Connection
from providers.sandbox.faults import Board
from providers.sandbox.records import Ring

PREFIX = "/_sandbox/"


async def control(connection: Connection, raw: bytes, board: Board, ring: Ring) -> None:
    status, value = _answer(connection, raw, board, ring)
    await connection.reply(status, value)


def _answer(connection: Connection, raw: bytes, board: Board, ring: Ring) -> tuple[int, Any]:
    match connection.method, connection.path.removeprefix(PREFIX):
        case "GET", "faults":
            return 200, [armed.shown() for armed in board.armed]
        case "POST", "faults":
            return _arm(raw, board)
        case "DELETE", "faults":
            board.clear()
            return 200, []
        case "GET", "requests":
            return 200, ring.shown()
        case "DELETE", "requests":
            ring.clear()
            return 200, []
        case _:
            return 404, {"error": "There is /_sandbox/faults and /_sandbox/requests."}


def _arm(raw: bytes, board: Board) -> tuple[int, Any]:
    try:
        order = json.loads(raw)
    except (ValueError, RecursionError):
        return 400, {"error": "The body is not JSON."}
    try:
        return 201, board.arm(order).shown()
    except ValueError as error:
        return 400, {"error": str(error)}
