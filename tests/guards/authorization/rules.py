"""The words that the table is written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PASS, NO, GONE, DOOR = "passes", "403", "404", "sign in"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ANONYMOUS, OUTSIDER, MEMBER, ADMIN, OWNER, SUPERUSER = "anonymous", "outsider", "member", "admin", "owner", "superuser"
ROLES = (ANONYMOUS, OUTSIDER, MEMBER, ADMIN, OWNER, SUPERUSER)
# The outsider owns another workspace: in it they may what an owner may, and here nothing at all. The superuser is in no
# workspace: what they see of them is in the console alone.
OWNERS = frozenset({OUTSIDER, OWNER})
ADMINS = OWNERS | {ADMIN}
MEMBERS = ADMINS | {MEMBER}
PEOPLE = MEMBERS | {SUPERUSER}

OWN, SAME, OTHER, DELETED = "own", "same workspace", "other workspace", "deleted"


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is what the address names; `body` is what is sent, where an empty one would say too little.

    `passes` is what those who may are told when an honest call cannot end well here, `refused` what others are told;
    `calls` is False where it would
    reach a provider, so that only the refusals are tried. `anything` asks for no more than that nothing crashes;
    `elsewhere` names the test that asks instead. Where an address names two things, `beside` is the kind of the other
    one (always one's own; a number stands for itself), and with `inner` the line is about the second of the two.
    """

    methods: tuple[str, ...]
    may: frozenset[str]
    kind: str = ""
    personal: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)
    passes: str = PASS
    refused: str = NO
    calls: bool = True
    anything: bool = False
    elsewhere: str = ""
    beside: str = ""
    inner: bool = False

    def roles(self) -> tuple[str, ...]:
        return (ANONYMOUS, OWNER) if self.anything else ROLES

    def places(self) -> tuple[str, ...]:
        if not self.kind:
            return ("",)
        return (OWN, SAME, OTHER, DELETED) if self.personal else (SAME, OTHER, DELETED)

    def expected(self, role: str, place: str) -> frozenset[str]:
        if role == ANONYMOUS and ANONYMOUS not in self.may:
            return frozenset({DOOR})
        if place in {OTHER, DELETED} or (self.personal and place == SAME):
            return frozenset({GONE}) if role in self.may else frozenset({GONE, NO})
        if role in self.may:
            return frozenset({self.passes})
        return frozenset({NO if role == SUPERUSER else self.refused})  # who is in no workspace comes to nothing first


def public(*methods: str) -> Line:
    """Open to everybody; the address decides by what was sent, so that nothing but a crash is wrong here."""
    return Line(methods, frozenset(ROLES), anything=True)


def signed_in(*methods: str, **more: Any) -> Line:
    """Also without a workspace."""
    return Line(methods, PEOPLE, **more)


def members(*methods: str, **more: Any) -> Line:
    return Line(methods, MEMBERS, **more)


def admins(*methods: str, **more: Any) -> Line:
    return Line(methods, ADMINS, **more)


def owners(*methods: str, **more: Any) -> Line:
    return Line(methods, OWNERS, **more)


def own(kind: str, *methods: str, by: frozenset[str] = MEMBERS, **more: Any) -> Line:
    """One's own only: another's is nothing at all, also to an owner of the same workspace."""
    return Line(methods, by, kind, personal=True, **more)


def shared(kind: str, *methods: str, by: frozenset[str] = MEMBERS, **more: Any) -> Line:
    """Of the workspace that somebody acts in."""
    return Line(methods, by, kind, **more)


def without_calling(line: Line) -> Line:
    return replace(line, calls=False)
