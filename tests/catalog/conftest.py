"""What tests of the catalog share."""

from tests.catalog.acme import acme
from tests.providers.upstream import closing, nobody, sandbox, upstream, vendors

__all__ = ["acme", "closing", "nobody", "sandbox", "upstream", "vendors"]
