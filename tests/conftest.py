"""What every test stands on: a home of its own, three people, loopback only."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before Django reads its settings: nothing of the developer's own installation or keys reaches a test.
os.environ["PARLEY_HOME"] = os.environ.get("PARLEY_TEST_HOME") or tempfile.mkdtemp(prefix="parley-test-")
for name in ("SECRET_KEY", "FIELD_KEYRING", "ALLOWED_HOSTS", "PARLEY_SANDBOX_URL"):
    os.environ.pop(name, None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that reaches for another machine fails at once."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {host}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return None


@pytest.fixture
def alice(db: None) -> Any:
    """Owns the workspace."""
    from tests.factories import make_actor

    return make_actor("alice@example.com")


@pytest.fixture
def bob(alice: Any) -> Any:
    """A member of alice's workspace."""
    from accounts.models import Role, Workspace
    from tests.factories import make_actor

    return make_actor("bob@example.com", Workspace.objects.get(pk=alice.workspace_id), Role.MEMBER)


@pytest.fixture
def charlie(db: None) -> Any:
    """Owns another workspace; an outsider to alice's."""
    from tests.factories import make_actor, make_workspace

    return make_actor("charlie@example.com", make_workspace("Elsewhere"))


ROOT = Path(__file__).resolve().parent.parent
