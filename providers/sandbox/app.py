"""The application: from a request to a wire, an answer and its failure. What a vendor says lives in the wires."""

import hmac
import json
import os
import uuid
from dataclasses import dataclass
from typing import Any

from providers.sandbox import directives, keys, records
from providers.sandbox.answers import answer
from providers.sandbox.asks import Ask
from providers.sandbox.connection import ClientGone, Connection, Event, Receive, Send, TooLarge
from providers.sandbox.control import PREFIX, control
from providers.sandbox.faults import NAMES, Board, Fault
from providers.sandbox.listing import find
from providers.sandbox.lists import listed
from providers.sandbox.records import Record, Ring
from providers.sandbox.routes import Route, route
from providers.sandbox.stage import Pace, Stage
from providers.sandbox.wires import Problem, Refused, Where, responses_plan

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
PACE = 60.0


class NotInProduction(RuntimeError):
    """The sandbox invents its answers; a real installation must not serve them."""


def refuse_production() -> None:
    if os.environ.get("PARLEY_MODE", "").strip().lower() == "production":
        raise NotInProduction("The sandbox invents its answers and does not run with PARLEY_MODE=production.")


@dataclass(slots=True)
class _Exchange:
    """A request on its way through: its route, its record and its body."""

    connection: Connection
    route: Route
    record: Record
    body: Any
    key: str


class Sandbox:
    """The ASGI application. `pace` is pieces a second, 0 for as fast as possible; with a `secret`, only who sends it
    as `x-sandbox-secret` may arm faults and read records."""

    def __init__(self, pace: float = PACE, secret: str = "") -> None:
        refuse_production()
        self.pace = pace
        self._secret = secret
        self.board = Board()
        self.ring = Ring()

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        connection = Connection(scope, receive, send)
        try:
            raw = await connection.body()
        except TooLarge:
            await connection.reply(
                413, {"error": {"message": "The request is too large.", "code": "request_too_large"}}
            )
            return
        except ClientGone:
            return
        if "origin" in connection.headers or _host(connection) not in LOOPBACK:
            # A page in a browser must not steer or read the sandbox, not even through a name of its own.
            await connection.reply(403, {"error": "The sandbox answers programs on this machine only."})
        elif connection.path.startswith(PREFIX):
            if hmac.compare_digest(connection.headers.get("x-sandbox-secret", "").encode(), self._secret.encode()):
                await control(connection, raw, self.board, self.ring)
            else:
                await connection.reply(403, {"error": "This sandbox obeys whoever started it."})
        else:
            await self._vendor(connection, raw)

    async def _vendor(self, connection: Connection, raw: bytes) -> None:
        found = route(connection.method, connection.path)
        if found is None:
            message = f"Invalid URL ({connection.method} {connection.path})"
            await connection.reply(404, {"error": {"message": message, "type": "invalid_request_error", "code": None}})
            return
        key = found.wire.key(connection.headers)
        record = self.ring.open(provider=found.wire.provider, path=connection.path, key_hint=keys.hint(key))
        exchange = _Exchange(connection, found, record, _parsed(raw), key)
        record.body = records.kept(exchange.body, len(raw))
        try:
            left = await connection.until_gone(self._serve(exchange))
            record.end("client_closed" if left else "completed")
        finally:
            record.end("failed")

    async def _serve(self, exchange: _Exchange) -> None:
        try:
            self._admit(exchange)
            if exchange.route.kind == "models":
                await self._list(exchange)
            else:
                await self._generate(exchange)
        except Refused as refused:
            exchange.record.end(f"refused:{refused.problem.status}")
            await _reply(exchange.connection, refused.problem)

    def _admit(self, exchange: _Exchange) -> None:
        trouble = keys.trouble(exchange.key, listing=exchange.route.kind == "models")
        problem = exchange.route.wire.problem(trouble) if trouble else None
        if problem is not None:
            raise Refused(problem)

    async def _list(self, exchange: _Exchange) -> None:
        wire = exchange.route.wire
        fault = self.board.take(wire.provider, "models")
        if fault and fault.early:
            await self._fail_early(exchange, fault)
            if exchange.connection.over:
                return
        if wire.provider == "openai" and keys.plan(exchange.key):
            await exchange.connection.reply(200, responses_plan.listed())
            return
        await exchange.connection.reply(200, listed(wire, exchange.route.model, exchange.connection.query))

    async def _generate(self, exchange: _Exchange) -> None:
        wire, record = exchange.route.wire, exchange.record
        where = Where(keys.account(exchange.key), exchange.route.model, exchange.route.stream, keys.plan(exchange.key))
        ask = wire.read(exchange.body, where)
        record.model = ask.model
        self._check_length(exchange, ask)
        told = directives.read(ask.prompt.text)
        fault = self.board.take(wire.provider, "generate") or _told_fault(told)
        pace = Pace(self.pace if told.pace is None else told.pace)
        if fault and (fault.early or (fault.name == "stream_error" and not ask.stream)):
            await self._fail_early(exchange, fault)
        if fault and fault.name == "blocked" and not fault.after:
            await self._block(exchange)
        if not exchange.connection.over:
            made = answer(ask, told, fault)
            stage = Stage(exchange.connection, record, pace, _headers(), self.board.cleared)
            telling = wire.tell(ask, made, exchange.body)
            await (stage.stream(telling, fault) if ask.stream else stage.whole(telling, made.pieces, fault))
        record.end(f"fault:{fault.name}" if fault else "completed")

    async def _fail_early(self, exchange: _Exchange, fault: Fault) -> None:
        """Fail before the answer begins; after a slow start the answer still comes."""
        stage = Stage(exchange.connection, exchange.record, Pace(0), {}, self.board.cleared)
        name = "server_error" if fault.name == "stream_error" else fault.name
        problem = exchange.route.wire.problem(name, model=exchange.record.model, seconds=fault.retry_after)
        if name == "slow_first_byte":
            await stage.wait(fault.wait)
        elif name == "hang":
            await stage.silence()
        elif name == "connect":
            exchange.connection.drop()
        elif problem is not None:
            exchange.record.end(f"fault:{fault.name}")
            await _reply(exchange.connection, problem)

    async def _block(self, exchange: _Exchange) -> None:
        """Where the vendor has a status for blocked content, it answers with that."""
        problem = exchange.route.wire.problem("blocked", model=exchange.record.model)
        if problem is not None:
            exchange.record.end("fault:blocked")
            await _reply(exchange.connection, problem)

    def _check_length(self, exchange: _Exchange, ask: Ask) -> None:
        wire = exchange.route.wire
        model = find(wire.provider, ask.model)
        problem = wire.problem("too_long", model=ask.model)
        if model and problem and ask.input_tokens > model.context:
            raise Refused(problem)


def _told_fault(told: directives.Directives) -> Fault | None:
    return Fault(told.fault, told.after) if told.fault in NAMES else None


async def _reply(connection: Connection, problem: Problem) -> None:
    await connection.reply(problem.status, problem.body, _headers() | problem.headers)


def _headers() -> dict[str, str]:
    """The id of the request under the names that the vendors give it."""
    request_id = f"req_{uuid.uuid4().hex}"
    return {"x-request-id": request_id, "request-id": request_id, "x-sandbox": "1"}


def _host(connection: Connection) -> str:
    return connection.headers.get("host", "").rsplit(":", 1)[0] or "127.0.0.1"


def _parsed(raw: bytes) -> Any:
    """The JSON of a body, None when it is none; the wires refuse that in their own words."""
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return None
