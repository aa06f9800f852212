"""What tests of the providers floor share."""

from tests.providers.upstream import closing, nobody, sandbox, upstream, vendors

__all__ = ["closing", "nobody", "sandbox", "upstream", "vendors"]
