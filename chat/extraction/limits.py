"""How much one file may take: time, memory, pages, characters. The process bounds itself before it parses anything."""

import json
import resource
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` on the clock, `cpu_seconds` of work, `memory` in bytes of address space, `unpacked` in bytes."""

    seconds: float = 120.0
    cpu_seconds: int = 60
    memory: int = 1024 * MIB
    written: int = 64 * MIB
    unpacked: int = 256 * MIB
    pages: int = 1_000
    chars: int = 3_000_000
    pixels: int = 50_000_000

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def hold(self) -> None:
        """From now on the system ends this process when it takes more."""
        for name, value in (
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_FSIZE, self.written),
            (resource.RLIMIT_NOFILE, 64),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ValueError, OSError):  # a system that knows no such limit: the clock still holds
                resource.setrlimit(name, (value, value))
