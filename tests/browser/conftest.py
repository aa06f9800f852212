"""Browser tests: real Chromium against real server processes.

Fixtures: `chromium` (one browser a module), `serve` (starts a server with its own home), `server` (the module's own),
`connect` (the same with the sandbox behind it), `arrive` (a signed-in owner on a page),
`visit` (a watched page; the test fails at its end when anything went wrong on it).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser.server import Server
from tests.browser.visitor import LAUNCH, NO_AUTOFILL, REPORT_REFUSALS, Visitor
from tests.faults.servers import Sandbox, furnish

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A module at a time: while Playwright's loop lives, this thread may not use Django's rows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """`serve(**env)`: furnish a fresh home, start a server, stop it when the module ends."""
    running: list[Server] = []

    def start(*, catalog: bool = False, **env: str) -> Server:
        server = Server(tmp_path_factory.mktemp("home"), env)
        running.append(server)
        furnish(server.home, catalog=catalog)
        return server.start()

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def connect(serve: Callable[..., Server], vendor: Sandbox) -> Callable[..., Server]:
    """`connect(**env)`: start a server with the sandbox as every provider, its models in the catalog."""

    def start(**env: str) -> Server:
        return serve(catalog=True, PARLEY_SANDBOX_URL=vendor.url, **env)

    return start


@pytest.fixture(scope="module")
def session(chromium: Browser, server: Server) -> StorageState:
    """What a browser keeps of an owner who has signed in."""
    context = chromium.new_context()
    context.new_page().goto(server.sign_in_link("wim@example.com", role="owner"))
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def arrive(visit: Callable[..., Visitor], session: StorageState) -> Callable[..., Visitor]:
    """`arrive("/models/", width=390)`: the owner, signed in, on that page; on a new chat by default."""

    def come(path: str = "/", **options: Any) -> Visitor:
        visitor = visit(storage_state=session, **options)
        visitor.go(path)
        return visitor

    return come


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    """`visit(width=1440, height=900, color_scheme="light")`: a person with an empty browser at the module's server.

    A virtual device says yes to autofill too, at once and unasked, so pages offer none unless `autofill` is true.
    """
    visitors: list[Visitor] = []

    def come(
        server: Server = server, width: int = 1440, height: int = 900, autofill: bool = False, **options: Any
    ) -> Visitor:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.add_init_script(REPORT_REFUSALS)
        if not autofill:
            context.add_init_script(NO_AUTOFILL)
        visitor = Visitor(context.new_page(), context, server.url)
        visitor.watch(visitor.page)
        visitors.append(visitor)
        return visitor

    yield come
    for visitor in visitors:
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []
