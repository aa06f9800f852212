"""A session that is signed out from elsewhere: its sockets and streams are closed within five seconds."""

import threading
import time
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
type Visit = Callable[..., Visitor]
SECONDS = 5.0


@pytest.fixture(scope="module")
def server(connect: Callable[..., Server]) -> Server:
    return connect()


@pytest.fixture
def two_browsers(visit: Visit, server: Server, chromium: Browser) -> tuple[Visitor, Visitor]:
    """One person, signed in twice."""
    visitors = visit(), visit()
    for visitor in visitors:
        visitor.go(server.sign_in_link("yara@example.com"))
    return visitors


class Stream(threading.Thread):
    """Reads the events of a run with a session's cookie; `ended` is when the server closed it."""

    def __init__(self, url: str, cookie: str) -> None:
        super().__init__()
        self.url, self.cookie = url, cookie
        self.lines, self.ended = 0, 0.0

    def run(self) -> None:
        with httpx2.stream("GET", self.url, headers={"Cookie": self.cookie}, timeout=60) as answer:
            assert answer.status_code == 200
            for _ in answer.iter_lines():
                self.lines += 1
        self.ended = time.monotonic()


def test_sockets_and_streams_of_a_session_that_was_ended_close(two_browsers: tuple[Visitor, Visitor]) -> None:
    here, there = two_browsers
    page = there.page
    sockets: list[WebSocket] = []
    closed: list[float] = []

    def opened(socket: WebSocket) -> None:
        sockets.append(socket)
        socket.on("close", lambda _: closed.append(time.monotonic()))

    page.on("websocket", opened)
    there.go("/")
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill("/slow 200 /tokens 400")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/**")
    expect(page.get_by_role("button", name="Stop").first).to_be_visible(timeout=30_000)
    stream = _stream_of(there)
    stream.start()
    while stream.is_alive() and not stream.lines:
        page.wait_for_timeout(50)
    assert stream.lines

    here.go("/settings/accounts/")
    here.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.page.get_by_text("You are signed out everywhere else.")).to_be_visible()
    ended = time.monotonic()
    living = [socket for socket in sockets if not socket.is_closed()]
    assert living
    while (time.monotonic() - ended) < SECONDS + 1 and not (stream.ended and len(closed) == len(sockets)):
        page.wait_for_timeout(50)
    assert stream.ended
    assert stream.ended - ended <= SECONDS
    assert closed
    assert max(closed) - ended <= SECONDS
    there.problems.clear()  # what a page says that lost its session is not this test's business
    there.go("/settings/accounts/")
    expect(page).to_have_url(f"{there.url}/accounts/login/?next=/settings/accounts/")
    here.go("/")
    expect(here.page.get_by_role("heading", level=1)).to_be_visible()


def _stream_of(visitor: Visitor) -> Stream:
    found = visitor.page.request.get(f"{visitor.url}/api/v1/conversations/").json()["results"][0]["id"]
    messages = visitor.page.request.get(f"{visitor.url}/api/v1/conversations/{found}/messages/").json()
    answer = [one for one in messages["results"] if one["role"] == "assistant"][-1]["id"]
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in visitor.context.cookies())
    return Stream(f"{visitor.url}/api/v1/runs/{answer}/events", cookie)
