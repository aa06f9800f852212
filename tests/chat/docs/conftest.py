"""People with files: uploading over the API and the pages, and a workshop that reads what waits, at once."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.policies import Actor
from chat import attachments, workshop
from chat.models import Attachment
from tests.chat.doors.conftest import bearer, model, signed_in
from tests.chat.engine.conftest import running, upstream, vendor

__all__ = ["model", "running", "signed_in", "upstream", "vendor"]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> Any:
    """Files of a test stay in its own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def upload(actor: Actor, name: str, data: bytes, **fields: Any) -> Any:
    """POST to /api/v1/attachments/ with a token."""
    body = {"file": SimpleUploadedFile(name, data, "application/x-lie"), **fields}
    return Client().post("/api/v1/attachments/", body, headers=bearer(actor))


def attach(actor: Actor, name: str, data: bytes, **fields: Any) -> Attachment:
    """A stored file that nobody has read."""
    return attachments.add(actor, SimpleUploadedFile(name, data), **fields)


def read_all(me: str = "a:1:test") -> None:
    """Read what waits, in this thread; a workshop that runs beside it may be the one that does."""
    pause, until = threading.Event(), time.monotonic() + 60
    while Attachment.objects.filter(state__in=Attachment.PENDING).exists() and time.monotonic() < until:
        if found := workshop.claim(me):
            workshop.read(found, me, threading.Event())
        else:
            pause.wait(0.05)


@pytest.fixture
def ready() -> Callable[..., Attachment]:
    """`ready(actor, name, data)`: a file that has been read."""

    def make(actor: Actor, name: str, data: bytes, **fields: Any) -> Attachment:
        made = attach(actor, name, data, **fields)
        read_all()
        made.refresh_from_db()
        assert made.state == "ready", made.error
        return made

    return make
