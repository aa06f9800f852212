"""What every test stands on: a home of its own, three people, loopback only, and what the machine lacks is said."""

import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import environment, machine

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = "left out: "

# A machine that is busy with something else is slow at everything, and says nothing about the code.
settings.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("parley")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in machine.CHECKS:
        if item.get_closest_marker(need) and (reason := machine.missing(need)):
            if machine.REQUIRE_ALL:
                pytest.fail(f"PARLEY_REQUIRE_ALL=1, but {reason}", pytrace=False)
            pytest.skip(LEFT_OUT + reason)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, what needs a browser runs on one of them in turn, and so does what needs the machine's
    other servers or its patience."""
    for item in items:
        if item.get_closest_marker("browser") or "browser" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif "faults" in item.path.parts or any(map(item.get_closest_marker, ("redis", "local_model", "drill"))):
            item.add_marker(pytest.mark.xdist_group("drills"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name, in one line each, what this machine could not test."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        if LEFT_OUT in reason:
            terminalreporter.write_line(f"{count} left out: {reason.split(LEFT_OUT, 1)[1]}", yellow=True)


def pytest_sessionfinish() -> None:
    if not os.environ.get("PARLEY_TEST_HOME"):
        shutil.rmtree(environment.HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Threads of the code under test give their connection back after each unit of work: none of them is left open
    when the test database is dropped."""
    from django.db import connections

    connections["default"].settings_dict["CONN_MAX_AGE"] = 0
    if connections["default"].vendor == "postgresql":  # whose test database outlives no crash
        connections["default"].settings_dict["OPTIONS"]["options"] = "-c synchronous_commit=off"


def emptied(self: Any, style: Any, tables: Any, **_: Any) -> list[str]:
    """Tests leave a handful of rows: to delete them is far quicker than to truncate seventy tables, whose files
    PostgreSQL writes anew and syncs each time."""
    rows = [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608
    return ["SET CONSTRAINTS ALL DEFERRED", *rows] if rows else []


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Tests may empty tables, the audit's too. A thread that idles with a connection must not keep PostgreSQL from
    dropping the test database."""
    from django.contrib.contenttypes.models import ContentType
    from django.core.management.commands import flush
    from django.db import connection

    with django_db_blocker.unblock():
        types = list(ContentType.objects.all())
    # Emptied tables get their content types back and no permissions, which nobody here grants: Django would look for
    # each of them anew, at a higher cost than most tests have.
    flush.emit_post_migrate_signal = lambda *_: ContentType.objects.bulk_create(types)
    if connection.vendor == "postgresql":
        type(connection.ops).sql_flush = emptied  # type: ignore[method-assign]
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        import_module("accounts.migrations.0002_audit").open_up(None, editor)
    yield
    if connection.vendor == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # noqa: S608


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that reaches for another machine fails at once."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {host}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return None


@pytest.fixture(autouse=True)
def no_circuit_is_open() -> None:
    """What one test did to a provider is not held against it in the next."""
    from providers.runtime import guard

    guard.forget()


@pytest.fixture
def alice(db: None) -> Any:
    """Owns the workspace."""
    from tests.factories import make_actor

    return make_actor("alice@example.com")


@pytest.fixture
def bob(alice: Any) -> Any:
    """A member of alice's workspace."""
    from accounts.models import Role, Workspace
    from tests.factories import make_actor

    return make_actor("bob@example.com", Workspace.objects.get(pk=alice.workspace_id), Role.MEMBER)


@pytest.fixture
def charlie(db: None) -> Any:
    """Owns another workspace; an outsider to alice's."""
    from tests.factories import make_actor, make_workspace

    return make_actor("charlie@example.com", make_workspace("Elsewhere"))
