"""The Mistral SDK as its adapter uses it: it signs, addresses and judges a call; the bodies both ways are ours."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mistralai.client import Mistral
from mistralai.client.errors import MistralError, NoResponseError
from mistralai.client.models import UserMessage

from providers import faults, http, wire
from providers.adapters import mistral_faults
from providers.contract import Deadlines, OpenCredential
from providers.errors import ProviderError

BASE_URL = "https://api.mistral.ai"
FAILURES: tuple[type[Exception], ...] = (MistralError, NoResponseError)

# What the SDK reads from the environment even when everything is passed to it.
_AMBIENT = ("MISTRAL_API_KEY", "MISTRAL_DEBUG", "MISTRAL_SA_TOKEN_PATH", "MISTRAL_SDK_TELEMETRY")
_ENCODED = ("content-encoding", "content-length", "transfer-encoding")


class Carrier:
    """The HTTP client that the SDK is handed: it sends through the shared pool, with `content` in the place of what
    the SDK wrote, keeps a good response open, and shows the SDK `stand_in` instead.

    The SDK has no raw mode. Typed, it would walk every message (30 ms for 200), drop what it does not know of them,
    and build a class for every event (0.9 ms each).
    """

    def __init__(self, deadlines: Deadlines, stand_in: httpx2.Response, content: bytes = b"") -> None:
        self._timeout = http.timeout(deadlines).as_dict()
        self._stand_in = stand_in
        self._content = content
        self.response: httpx2.Response | None = None

    def build_request(self, method: str, url: Any, **parts: Any) -> httpx2.Request:
        return http.client().build_request(method, url, **parts)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        request = self._own(request)
        self.response = response = await http.client().send(request, stream=True)
        if response.status_code == httpx2.codes.OK:
            self._stand_in.request = request
            return self._stand_in
        # Read here, within bounds: the SDK makes its error of it.
        told = await wire.body(response.aiter_bytes())
        headers = {name: value for name, value in response.headers.items() if name not in _ENCODED}
        return httpx2.Response(response.status_code, headers=headers, content=told, request=request)

    async def aclose(self) -> None:
        """Close the response that was kept; the pool stays open."""
        response, self.response = self.response, None
        if response is not None:
            await response.aclose()

    def _own(self, request: httpx2.Request) -> httpx2.Request:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        # The SDK is a circle of references: what it holds stays until a garbage collection.
        content, self._content = self._content, b""
        return httpx2.Request(
            request.method,
            request.url,
            headers=headers,
            content=content or None,
            extensions={"timeout": self._timeout},
        )


@asynccontextmanager
async def posted(
    credential: OpenCredential, deadlines: Deadlines, body: Mapping[str, Any]
) -> AsyncIterator[httpx2.Response]:
    """The open response to `body`, its bytes not yet read."""
    content = wire.dumped(body).encode("utf-8", "replace")
    stand_in = httpx2.Response(httpx2.codes.OK, headers={"content-type": "text/event-stream"})
    carrier = Carrier(deadlines, stand_in, content)
    try:
        sdk = _client(credential, deadlines, carrier)
        await sdk.chat.stream_async(model=body["model"], messages=[UserMessage(content=".")])
        yield _kept(carrier)
    finally:
        await carrier.aclose()


async def listed(credential: OpenCredential) -> bytes:
    """The body of the model list, as it came. Raises `ValueError` when it is larger than any list."""
    carrier = Carrier(Deadlines(), httpx2.Response(httpx2.codes.OK, json={"data": []}))
    try:
        await _client(credential, Deadlines(), carrier).models.list_async()
        return await wire.body(_kept(carrier).aiter_bytes())
    finally:
        await carrier.aclose()


def classify(error: BaseException, provider_id: str) -> ProviderError | None:
    if isinstance(error, MistralError):
        return mistral_faults.failure(
            provider_id,
            mistral_faults.parsed(error.body),
            status=error.status_code,
            headers=error.headers,
            request_id=mistral_faults.request_id(error.headers),
        )
    if isinstance(error, NoResponseError):
        return faults.local(ConnectionError(), provider_id=provider_id)
    return None


def _client(credential: OpenCredential, deadlines: Deadlines, carrier: Carrier) -> Mistral:
    """A client for one call. The SDK writes `/v1` itself, so an address may end with it or not."""
    for name in _AMBIENT:
        os.environ.pop(name, None)
    return Mistral(
        api_key=wire.key_of(credential),
        server_url=credential.base_url.rstrip("/").removesuffix("/v1") or BASE_URL,
        client=http.placeholder(),
        async_client=carrier,
        timeout_ms=round(deadlines.total * 1000),
    )


def _kept(carrier: Carrier) -> httpx2.Response:
    if carrier.response is None:
        raise httpx2.RemoteProtocolError("no response")
    return carrier.response
