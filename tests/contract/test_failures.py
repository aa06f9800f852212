"""The table of `python -m tests.bench failures`: fifteen failures at every vendor, each called by its name."""

import pytest

from tests.bench import failures
from tests.sandbox.server import SandboxServer, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.anyio


async def test_every_failure_of_every_vendor_is_called_by_its_name(sandbox: SandboxServer) -> None:
    found = await failures.run(sandbox.url)
    assert [verdict for verdict in found if verdict.wrong] == []
    assert failures.total(found) == (60, 60)
