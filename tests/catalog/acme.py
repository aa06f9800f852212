"""A third party's provider, installed the way a package would: a distribution with an entry point.

What it does depends on the key: `acme-lists-3`, `acme-hangs`, `acme-breaks`, `acme-refuses`, `acme-empty`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers import registry, runtime
from providers.contract import CredentialCheck, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, StreamEvent

METADATA = "Metadata-Version: 2.1\nName: acme-parley\nVersion: 1.0\n"
ENTRY_POINTS = f"[{registry.ENTRY_POINT_GROUP}]\nacme = tests.catalog.acme:ACME\n"
ACME = registry.Provider("acme", "Acme", "X", "tests.catalog.acme:Acme")


class Acme:
    provider_id = "acme"

    async def list_models(self, credential: OpenCredential) -> list[ModelInfo]:
        match credential.secret.reveal().split("-"):
            case ["acme", "lists", count, *_]:
                made = [ModelInfo(f"acme-{number}", f"Acme {number}") for number in range(int(count))]
                return [*made, ModelInfo("ft:acme-1:somebody::x")]
            case ["acme", "empty", *_]:
                return []
            case ["acme", "hangs", *_]:
                await asyncio.sleep(3600)
            case ["acme", "breaks", *_]:
                raise ZeroDivisionError("a bug in somebody's adapter")
        raise ProviderError(ErrorCode.INVALID_AUTH, "The key was refused.", provider_id="acme")

    async def validate_credential(self, credential: OpenCredential) -> CredentialCheck:
        return CredentialCheck(True, 1, model_count=len(await self.list_models(credential)))

    async def generate(self, credential: OpenCredential, request: GenerateRequest) -> Finished:
        raise NotImplementedError

    def stream_generate(self, credential: OpenCredential, request: GenerateRequest) -> AsyncIterator[StreamEvent]:
        raise NotImplementedError

    def normalize_error(self, error: BaseException, *, partial: bool = False) -> ProviderError:
        return ProviderError(ErrorCode.PROVIDER_UNAVAILABLE, "It failed.", provider_id="acme", partial=partial)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Any]:
    """The package is installed, and nothing else has a key; call it with a key to make that the installation's."""
    package = tmp_path / "acme_parley-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(METADATA)
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.providers.cache_clear()

    def with_key(key: str) -> None:
        settings.PROVIDER_KEYS = {**settings.PROVIDER_KEYS, "acme": key}

    yield with_key
    registry.providers.cache_clear()
    registry.runtime.cache_clear()
    runtime._imported.pop("acme", None)
