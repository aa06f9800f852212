"""A person at a browser: one page, what went wrong on it, and the authenticators in their pocket."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Page, Request, Response

LAUNCH = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run",
    ],
}  # fmt: skip
# Runs before any script of a page: a refused resource is reported even when nothing is written to the console.
REPORT_REFUSALS = """
document.addEventListener("securitypolicyviolation", (refused) => {
  console.error(`CSP refused ${refused.violatedDirective}: ${refused.blockedURI} at ${refused.sourceFile}`);
});
"""
SETTLED = """() => Promise.allSettled(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""
NO_AUTOFILL = "PublicKeyCredential.isConditionalMediationAvailable = async () => false;"


@dataclass
class Device:
    """A virtual authenticator of one page; it holds passkeys and says yes to every prompt."""

    session: CDPSession
    id: str

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def unplug(self) -> None:
        self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def verify(self, *, person: bool) -> None:
        """With `person` false the lock of the device stays shut, which pages see as a cancelled prompt."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": person})

    def answer(self, *, present: bool) -> None:
        """With `present` false a prompt stays open, as when a person looks away."""
        self.session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.id, "enabled": present})


@dataclass
class Visitor:
    """`problems` collects console errors, CSP violations, uncaught exceptions and failed requests, as sentences.

    `expected` holds the statuses that a test provokes on purpose, as (path, status); `foreign` addresses of pages that
    are not ours, whose problems are not either.
    """

    page: Page
    context: BrowserContext
    url: str
    problems: list[str] = field(default_factory=list)
    expected: set[tuple[str, int]] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)

    def watch(self, page: Page) -> Page:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        return page

    def go(self, path: str) -> Page:
        """Open an address of the server, or a full one."""
        self.page.goto(path if path.startswith("http") else self.url + path)
        return self.page

    def tab(self) -> Page:
        """A second tab of the same person; its problems count too."""
        return self.watch(self.context.new_page())

    # ------------------------------------------------------------ signing in
    def sign_up(self, email: str, *, save_codes: bool = True) -> list[str]:
        """Make an account with the plugged-in device; the recovery codes that were shown."""
        self.go("/accounts/signup/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_role("button", name="Continue").click()
        self.confirm_code()
        self.page.get_by_role("button", name="Create a passkey").click()
        codes = self.recovery_codes()
        if save_codes:
            self.page.get_by_role("button", name="I have saved them").click()
            self.page.wait_for_url(f"{self.url}/")
        return codes

    def confirm_code(self) -> None:
        """Type the code that development shows on the page."""
        code = self.page.locator("#development-code").inner_text()
        self.page.get_by_label("Code").fill(code)
        self.page.get_by_role("button", name="Confirm").click()

    def recovery_codes(self) -> list[str]:
        return self.page.locator("#recovery-codes").inner_text().split()

    def sign_in(self, path: str = "/") -> None:
        """Open `path` signed out and use the passkey; ends on `path`."""
        self.go(path)
        self.page.get_by_role("button", name="Continue with a passkey").click()
        self.page.wait_for_url(self.url + path)

    def sign_out(self) -> None:
        self.go("/accounts/logout/")
        self.page.get_by_role("button", name="Sign out").last.click()
        self.page.wait_for_url(f"{self.url}/accounts/login/")

    def assert_accessible(self) -> None:
        """No violation of axe's rules for WCAG 2.2 A and AA and its best practices on the page as it is, once colours
        that were changing have changed."""
        self.page.evaluate(SETTLED)
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        broken = [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
        assert broken == [], broken

    # ------------------------------------------------------------ devices
    def device(self, transport: str = "internal", page: Page | None = None) -> Device:
        """Plug a virtual authenticator with user verification and resident keys into the page."""
        session = self.context.new_cdp_session(page or self.page)
        session.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": transport, "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return Device(session, made["authenticatorId"])

    def _heard(self, message: ConsoleMessage) -> None:
        # "Failed to load resource" repeats what _answered and _failed report with an address.
        ours = not self.page.url.startswith(tuple(self.foreign))
        if message.type in {"error", "warning"} and ours and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # A navigation that replaced another one is none.
        if request.failure != "net::ERR_ABORTED" and not request.url.startswith(tuple(self.foreign)):
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.url.startswith(tuple(self.foreign)):
            return
        path = response.url.removeprefix(self.url).split("?")[0]
        if response.status >= 400 and (path, response.status) not in self.expected:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")
