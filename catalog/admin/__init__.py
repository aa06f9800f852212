"""The catalog in the console, one module for each kind of work."""

from catalog.admin import choosing, limits, models, moves

__all__ = ["choosing", "limits", "models", "moves"]
