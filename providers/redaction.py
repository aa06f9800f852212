"""Takes secrets out of text; what does it, and what it knows of, is `accounts.redaction`."""

from accounts.redaction import REMEMBERED, forget_all, identifier, remember, scrub

__all__ = ["REMEMBERED", "forget_all", "identifier", "remember", "scrub"]
