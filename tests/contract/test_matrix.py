"""The table of `python -m tests.bench matrix`: any model goes on with any other's conversation."""

import pytest

from tests.bench import matrix

pytestmark = pytest.mark.anyio


async def test_no_request_is_refused_whoever_goes_on_with_whose_conversation() -> None:
    found = await matrix.run()
    assert [cell for cell in found if cell.failure] == []
    # Five by five providers with six features each, and eight changes for each provider.
    assert len(found) == 190
