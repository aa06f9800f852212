"""What tests of the providers floor share."""

from typing import Any

import pytest

from tests.providers.endpoint import Endpoint, endpoint
from tests.providers.upstream import closing, nobody, sandbox, upstream, vendors

__all__ = ["closing", "endpoint", "nobody", "sandbox", "upstream", "vendors"]


@pytest.fixture
def exchanging(endpoint: Endpoint, settings: Any) -> Endpoint:
    """The operator allows workload identity, and a token endpoint answers it."""
    settings.WORKLOAD_IDENTITY = True
    endpoint.seconds = 0
    return endpoint
