"""Signing in through an OpenID Connect issuer: allauth's provider, made stricter through the hooks it offers."""
