"""panva's certified OpenID provider as a process of its own (tests/oidc_panva), and what a person does on its pages."""

import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.server import Server, free_port
from tests.machine import PANVA

PATIENCE = 90  # seconds until it must answer, on a busy machine
CLIENTS = [("openai", "ChatGPT", "client_secret_basic"), ("google", "Google", "client_secret_post")]
MAKE = """
from accounts import sealing
from accounts.models import IdentityProvider
for slug, name, method in {clients!r}:
    row = IdentityProvider(slug=slug, name=name, issuer={issuer!r}, client_id=slug, token_auth=method, sign_up="open",
        enabled=True)
    row.secret = sealing.seal(row, f"secret-of-{{slug}}")
    row.save()
"""


@dataclass
class Panva:
    """Answers under 127.0.0.1, so that its cookies are not those of the application on localhost."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def start_panva(server: Server) -> Panva:
    """With a client set up as OpenAI documents its own, and one as Google does."""
    back = [f"{server.url}/accounts/oidc/{slug}/login/callback/" for slug, _, _ in CLIENTS]
    port = free_port()
    process = subprocess.Popen(
        ["node", "server.mjs", str(port), *back], cwd=PANVA, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    panva = Panva(port, process)
    server.manage("shell", "-c", MAKE.format(clients=CLIENTS, issuer=panva.url))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the OpenID provider did not start"
        try:
            urllib.request.urlopen(f"{panva.url}/.well-known/openid-configuration", timeout=5)  # noqa: S310
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return panva
    raise AssertionError("the OpenID provider did not answer")


def say_who(page: Page, login: str) -> None:
    """On the provider's own page: a name, any password, and on."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
