"""Drills: a provider fails on purpose in a sandbox of the drill's own, and the runtime is measured while it does.

A drill reads no credential, meets no vendor and leaves the process's own circuits, connections and health alone.
`scenarios` says what happens, `bed` is where, `report` what it proves, `running` starts, stops and keeps them.
"""
