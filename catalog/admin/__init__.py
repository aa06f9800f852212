"""The catalog in the console, one module for each kind of work."""

from catalog.admin import choosing, models, moves

__all__ = ["choosing", "models", "moves"]
