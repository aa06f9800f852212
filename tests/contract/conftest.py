"""A test that takes `dialect` runs once for each adapter."""

import pytest

from tests.contract.dialects import DIALECTS, Dialect


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.provider_id)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen
