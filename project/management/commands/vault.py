"""manage.py vault: what is sealed under which key, a new key, everything under the first one, an old key gone."""

import re
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import audit, keyring, vault
from project import home

NAMED = 10  # rows that a line names before it only counts


class Command(BaseCommand):
    help = "Look after the key ring and what is sealed under it."
    # A ring that cannot read what is stored is what this command is for.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("doctor", help="count what is under each key, and name what cannot be read")
        add = verbs.add_parser("add", help="put a new key in front of the ring, where a file holds it")
        add.add_argument("key", nargs="?", help="its id; the next number by default")
        verbs.add_parser("rotate", help="seal everything under the first key; may be stopped and run again")
        forget = verbs.add_parser("forget", help="take an old key out of the ring, once nothing is under it")
        forget.add_argument("key", help="the key's id")
        forget.add_argument(
            "--lost", action="store_true", help="the key is gone for good: give up what is still sealed under it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "doctor":
                self.doctor()
            case "add":
                self.add(options["key"] or self._next_name())
            case "rotate":
                self.rotate()
            case "forget" if options["lost"]:
                self.give_up(options["key"])
            case "forget":
                self.forget(options["key"])

    def doctor(self) -> None:
        findings = [vault.examine(place) for place in vault.places()]
        for found in findings:
            counts = [f"{count} under {key or 'no key at all'}" for key, count in sorted(found.under.items())]
            counts += [f"{found.given_up} given up"] if found.given_up else []
            self.stdout.write(f"{found.place.label}: {', '.join(counts) or 'nothing'}")
            if found.unreadable:
                self.stderr.write(f"{found.place.label}: cannot be read: {_some(found.unreadable)}")
        if refusal := vault.refusal():
            self.stderr.write(refusal)
        if broken := sum(len(found.unreadable) for found in findings):
            raise CommandError(f"{broken} values cannot be read; their owners have to enter them again")

    def add(self, key: str) -> None:
        ring, old = settings.FIELD_KEYRING, ",".join(keyring.names())
        path = home.ring_file(settings.PARLEY_HOME)
        if path is None:
            raise CommandError(
                f"FIELD_KEYRING is in the environment, which only you can change: a new key before {old}."
            )
        if not re.fullmatch("[A-Za-z0-9]{1,16}", key) or key in {*keyring.names(), keyring.LOST}:
            raise CommandError(f"{key} cannot be the id of a new key.")
        self._write(path, f"{key}:{Fernet.generate_key().decode()},{ring}", f"put a new key before {old}")
        audit.record("vault.key_added", target=key)
        self.stdout.write(f"The ring is {key},{old}. Start every process again, then: manage.py vault rotate")

    def rotate(self) -> None:
        first = keyring.names()[0]
        audit.record("vault.rotation_begun", target=first)
        done = [vault.rotate(place) for place in vault.places()]
        for one in done:
            self.stdout.write(f"{one.place.label}: {one.moved} moved to {first}")
        counts = {name: sum(getattr(one, name) for one in done) for name in ("moved", "unreadable", "left")}
        audit.record("vault.rotated", target=first, data=counts)
        if counts["unreadable"] or counts["left"]:
            rest = f"{counts['unreadable']} that cannot be read, {counts['left']} that are in use"
            raise CommandError(f"not moved: {rest}")

    def forget(self, key: str) -> None:
        entries = settings.FIELD_KEYRING.split(",")
        kept = [entry for entry, name in zip(entries, keyring.names(), strict=True) if name != key]
        if len(kept) == len(entries):
            raise CommandError(f"The ring has no key {key}; it has {','.join(keyring.names())}.")
        if key == keyring.names()[0]:
            raise CommandError(f"{key} is the key that seals now. Put another one in front of it first.")
        if held := vault.held_under(key):
            told = ", ".join(f"{count} of {label}" for label, count in held.items())
            raise CommandError(f"Still sealed under {key}: {told}. Run: manage.py vault rotate")
        path = home.ring_file(settings.PARLEY_HOME)
        if path is not None:
            self._write(path, ",".join(kept), f"leave {key} out of it")
        audit.record("vault.key_forgotten", target=key)
        rest = "it is out of the ring" if path else "it may be left out of FIELD_KEYRING"
        self.stdout.write(f"Nothing is sealed under {key}, and {rest}. Start every process again.")

    @transaction.atomic
    def give_up(self, key: str) -> None:
        if key in keyring.names():
            raise CommandError(f"{key} is in the ring, so it is not lost.")
        lost = vault.give_up(key)
        audit.record("vault.given_up", target=key, data=lost)
        told = ", ".join(f"{count} of {label}" for label, count in lost.items())
        self.stdout.write(f"Given up: {told or 'nothing'}. Their owners are asked to enter them again.")

    def _next_name(self) -> str:
        numbers = [int(name[1:]) for name in keyring.names() if re.fullmatch("k[0-9]{1,9}", name)]
        return f"k{max(numbers, default=0) + 1}"

    def _write(self, path: Path, ring: str, what: str) -> None:
        try:
            home.write_ring(path, ring)
        except OSError as error:
            raise CommandError(f"{path} cannot be written ({error.strerror}): {what} yourself.") from None


def _some(keys: list[Any]) -> str:
    named = ", ".join(str(key) for key in keys[:NAMED])
    return f"{named} and {len(keys) - NAMED} more" if len(keys) > NAMED else named
