"""Pages about a person: signing in, passkeys, recovery codes, sessions, API tokens."""
