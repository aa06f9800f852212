"""What a browser may say over its socket: a closed set of frames, checked before anything looks at them. Pure."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

MAX_FRAME_CHARS = 64 * 1024


class Follow(msgspec.Struct, tag="follow", tag_field="t", frozen=True):
    """Send me this stream, from after sequence `after` (0: all of it)."""

    stream: UUID
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class Leave(msgspec.Struct, tag="leave", tag_field="t", frozen=True):
    """Send me no more of this stream."""

    stream: UUID


class Stop(msgspec.Struct, tag="stop", tag_field="t", frozen=True):
    """End the run behind this stream."""

    stream: UUID


class Watch(msgspec.Struct, tag="watch", tag_field="t", frozen=True):
    """Tell me of runs in this conversation whose answers are newer than `since` (None: than now)."""

    conversation: UUID
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class WatchHealth(msgspec.Struct, tag="watch_health", tag_field="t", frozen=True):
    """Tell me how the providers are, now and whenever that changes."""


class Ping(msgspec.Struct, tag="ping", tag_field="t", frozen=True):
    """Are you there?"""


type Ask = Follow | Leave | Stop | Watch | WatchHealth | Ping

_decoder: msgspec.json.Decoder[Ask] = msgspec.json.Decoder(Follow | Leave | Stop | Watch | WatchHealth | Ping)


def parse(text: str) -> Ask | None:
    """The frame, or None for anything that is not one."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
