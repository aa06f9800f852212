"""The content of Anthropic's messages: which blocks may stand where, and what the sandbox reads of them."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from providers.sandbox.asks import JSON, Attachment
from providers.sandbox.wires.anthropic_errors import refuse

_ALLOWED = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "thinking", "redacted_thinking", "tool_use"),
    "system": ("text",),
}
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_SOURCES = {"image": ("base64", "url", "file"), "document": ("base64", "text", "url", "file", "content")}


def blocks(content: Any) -> list[JSON]:
    """A message's content as blocks; a text alone stands for one."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def check(message: JSON, place: str) -> None:
    """Refuse what the vendor refuses to find in a message of this role."""
    content, role = message.get("content"), message["role"]
    if not isinstance(content, str | list):
        refuse(f"{place}.content: Input should be a valid list")
    if not content:
        refuse(f"{place}: {role} messages must have non-empty content")
    for index, block in enumerate(blocks(content) if isinstance(content, str) else content):
        where = f"{place}.content.{index}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in _ALLOWED[role]:
            expected = ", ".join(f"'{name}'" for name in _ALLOWED[role])
            refuse(
                f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
            )
        _check_block(block, where, role)


def text_of(content: Any) -> str:
    """The words of a message or of a tool's result."""
    return "\n".join(str(block.get("text") or "") for block in blocks(content) if block.get("type") == "text")


def attachments(content: Any) -> Iterator[Attachment]:
    for block in blocks(content):
        if block.get("type") in _SOURCES:
            yield _attachment(block)


def _check_block(block: JSON, where: str, role: str) -> None:
    match block["type"]:
        case "text":
            _check_text(block, role)
        case "image" | "document":
            _check_source(block, where)
        case "tool_result":
            if not isinstance(block.get("tool_use_id"), str):
                refuse(f"{where}.tool_result.tool_use_id: Field required")
            if block.get("is_error") and not block.get("content"):
                refuse(f"{where}.tool_result: content cannot be empty if `is_error` is true")
        case "tool_use":
            _check_call(block, where)


def _check_text(block: JSON, role: str) -> None:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        refuse("messages: text content blocks must be non-empty")
    if not text.strip():
        refuse("messages: text content blocks must contain non-whitespace text")
    if role == "user" and block.get("citations"):
        refuse("messages: citations are not supported on user text blocks")


def _check_call(block: JSON, where: str) -> None:
    call_id = block.get("id")
    if not isinstance(call_id, str) or not call_id.replace("_", "").replace("-", "").isalnum():
        refuse(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block.get("input"), dict):
        refuse(f"{where}.tool_use.input: Input should be a valid dictionary")


def _check_source(block: JSON, where: str) -> None:
    kind, source = block["type"], block.get("source")
    if not isinstance(source, dict) or source.get("type") not in _SOURCES[kind]:
        refuse(f"{where}.{kind}.source: Field required")
    media_type = source.get("media_type")
    if source["type"] != "base64":
        return
    if media_type not in (_IMAGES if kind == "image" else ("application/pdf",)):
        refuse(f"{where}.{kind}.source.base64.media_type: Input should be a supported media type")
    if _size(source.get("data")) is None:
        refuse(f"{where}.{kind}.source.base64: invalid base64 data")


def _attachment(block: JSON) -> Attachment:
    source, name = block["source"], str(block.get("title") or "")
    if source["type"] == "base64":
        return Attachment(str(source["media_type"]), _size(source["data"]), name)
    if source["type"] == "text":
        return Attachment("text/plain", len(str(source.get("data") or "").encode()), name)
    return Attachment("image/*" if block["type"] == "image" else "application/octet-stream", None, name)


def _size(data: Any) -> int | None:
    try:
        return len(base64.b64decode(data, validate=True)) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
