"""A vendor that costs nothing to speak of: answers any generation with N counted pieces, flat out or at a pace.

Runs in a process of its own, so that what a benchmark measures is the reader. The model id says what is wanted:
`bench-2000-20` is 2,000 events at 20 a second, `bench-2000-0` as fast as they are read.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODEL = re.compile(rb"bench-(\d+)-(\d+)")


def _sse(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _responses(count: int) -> tuple[bytes, bytes, bytes]:
    delta = {
        "type": "response.output_text.delta",
        "sequence_number": 7,
        "item_id": "msg_68a1f0c2d3e4",
        "output_index": 0,
        "content_index": 0,
        "delta": " token",
        "logprobs": [],
        "obfuscation": "aZ3kQ9",
    }
    item = {"type": "message", "id": "msg", "content": [{"type": "output_text", "text": " token" * count}]}
    first = {"type": "response.created", "response": {"id": "resp_1", "model": "bench"}}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    usage = {"input_tokens": 9, "output_tokens": count}
    last = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "usage": usage}}
    return b"event: response.created\n" + _sse(first), _sse(delta), _sse(done) + _sse(last)


def _chat(count: int) -> tuple[bytes, bytes, bytes]:
    def chunk(delta: dict[str, str], finish: str | None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "bench", "choices": [choice]}

    return (
        _sse(chunk({"role": "assistant"}, None)),
        _sse(chunk({"content": " token"}, None)),
        (_sse(chunk({}, "stop")) + b"data: [DONE]\n\n"),
    )


def _messages(count: int) -> tuple[bytes, bytes, bytes]:
    usage = {"input_tokens": 9, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "bench", "content": [], "usage": usage}
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " token"}}
    ended = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": count}}
    return (
        b"event: message_start\n" + _sse({"type": "message_start", "message": message}) + _sse(begun),
        b"event: content_block_delta\n" + _sse(delta),
        _sse({"type": "content_block_stop", "index": 0}) + _sse(ended) + _sse({"type": "message_stop"}),
    )


def _gemini(count: int) -> tuple[bytes, bytes, bytes]:
    def chunk(text: str, finish: dict[str, str]) -> dict[str, object]:
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 42, "totalTokenCount": 51}
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **finish}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "bench", "responseId": "r"}

    return b"", _sse(chunk(" token", {})), _sse(chunk("", {"finishReason": "STOP"}))


def script(path: bytes, count: int) -> tuple[bytes, bytes, bytes]:
    """The first, the repeated and the last bytes of an answer on the wire that `path` belongs to."""
    if b"generateContent" in path or b"GenerateContent" in path:
        return _gemini(count)
    if path.split(b"?")[0].split(b" ")[1].endswith(b"/messages"):
        return _messages(count)
    return _chat(count) if b"chat/completions" in path else _responses(count)


def _chunked(payload: bytes) -> bytes:
    return f"{len(payload):x}\r\n".encode() + payload + b"\r\n" if payload else b""


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"content-length: (\d+)", head.lower())
            body = await reader.readexactly(int(length[1])) if length else b""
            wanted = MODEL.search(head + body)
            count, pace = (int(wanted[1]), int(wanted[2])) if wanted else (1, 0)
            await _stream(writer, script(head.split(b"\r\n")[0], count), count, pace)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _stream(writer: asyncio.StreamWriter, wire: tuple[bytes, bytes, bytes], count: int, pace: int) -> None:
    first, piece, last = (_chunked(part) for part in wire)
    writer.write(HEAD + first)
    begun = asyncio.get_running_loop().time()
    for number in range(count):
        writer.write(piece)
        if pace:
            await asyncio.sleep(begun + (number + 1) / pace - asyncio.get_running_loop().time())
        elif number % 64 == 0:
            await writer.drain()
    writer.write(last + b"0\r\n\r\n")
    await writer.drain()


async def serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """The address of a fresh upstream, ended on the way out."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench.upstream"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
