"""Names the process that writes a run, so that a process on the same machine can tell at once that it is gone."""

import hashlib
import os
import uuid
from functools import cache
from pathlib import Path

# One boot of one machine and one table of process ids: containers that share a kernel differ in the second.
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@cache
def machine() -> str:
    """The same for two processes only if they see each other's process ids; empty where that cannot be known."""
    try:
        seed = _BOOT.read_text(encoding="ascii") + str(_NAMESPACE.readlink())
    except OSError:
        return ""
    return hashlib.sha256(seed.encode()).hexdigest()[:12]


def new() -> str:
    """A name for this process; two runners of one process get two."""
    return f"{machine()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str, *, me: str) -> bool:
    """True only for an owner on this machine whose process has ended; its runs need not wait for their lease."""
    place, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if not place or place != machine() or not pid.isdigit() or owner == me:
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
