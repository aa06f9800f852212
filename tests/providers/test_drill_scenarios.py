"""Every kind of drill against a real sandbox, with the real runtime: what holds passes, what is broken is found."""

import secrets
from collections.abc import Iterator

import httpx2
import pytest

from providers.children import Child
from providers.drills import scenarios
from providers.drills.bed import Bed, Order
from providers.errors import ProviderError
from providers.guard import Admitted, Guard, Key
from providers.runtime import guard

pytestmark = pytest.mark.anyio

# What a machine that is busy with tests says about milliseconds proves nothing.
TIMED = "Others' first token"
KINDS = ("outage", "rate_limits", "slow_start", "cut_streams", "expired_key")


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[str, str]]:
    """The address and the secret of a sandbox as a drill starts it."""
    secret = secrets.token_urlsafe(8)
    command = ("-m", "providers.sandbox", "--port", "0", "--pace", "0", "--lifeline")
    child = Child("sandbox", *command, PARLEY_SANDBOX_SECRET=secret)
    yield child.announcement(60)["url"], secret
    child.end()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("BEFORE", 0.2), ("DURING", 0.4), ("AFTER", 0.1), ("HOLD", 1.0), ("HURRY", 0.3)):
        monkeypatch.setattr(scenarios, f"{name}_SECONDS", seconds)


async def played(ground: tuple[str, str], kind: str, through: Guard | None = None, provider: str = "openai") -> Bed:
    bed = Bed(Order(provider, kind, 8), *ground)
    if through is not None:
        bed.guard = through
    await scenarios.play(bed)
    return bed


def failed(bed: Bed) -> list[str]:
    return [one.title for one in bed.report.expectations if not one.passed and not one.title.startswith(TIMED)]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_runtime_stands_every_drill(ground: tuple[str, str], kind: str) -> None:
    bed = await played(ground, kind)
    assert failed(bed) == [], [one for one in bed.report.expectations if not one.passed]
    assert {one.provider_id for one in bed.report.asked if one.phase == "before"} == set(bed.others)
    assert len(bed.report.expectations) >= 7


async def test_every_kind_has_a_scenario() -> None:
    from providers.models import Drill

    assert set(scenarios.SCENARIOS) == set(Drill.Kind.values) == set(KINDS)


class Careless(Guard):
    """Never learns from a failure."""

    def failed(self, admitted: Admitted, error: ProviderError) -> None:
        self.left(admitted)


class Jealous(Guard):
    """Holds one key's trouble against everybody who uses the provider."""

    def admit(self, key: Key, provider_id: str) -> Admitted:
        return super().admit(key[:2], provider_id)


async def test_a_circuit_that_never_opens_is_found(ground: tuple[str, str]) -> None:
    found = failed(await played(ground, "outage", Careless()))
    assert "The provider's circuit opens after 5 failures" in found
    assert "While the circuit is open a call fails at once, and nothing is sent" in found
    assert "Half open, the circuit lets exactly one call through" in found


async def test_a_key_that_shuts_out_the_others_is_found(ground: tuple[str, str]) -> None:
    found = failed(await played(ground, "expired_key", Jealous()))
    assert "One key's trouble is that key's alone" in found


async def test_a_drill_leaves_the_process_s_own_circuits_alone(ground: tuple[str, str]) -> None:
    bed = await played(ground, "outage")
    assert any("open" in step.text for step in bed.report.steps)
    assert guard.states() == {}


async def test_a_drill_cannot_reach_anything_but_its_sandbox(ground: tuple[str, str]) -> None:
    bed = Bed(Order("openai", "outage", 8), *ground)
    for address in ("https://api.openai.com/v1/models", "http://127.0.0.1:9/"):
        with pytest.raises(httpx2.ConnectError, match="its own sandbox only"):
            await bed.http.get(address)
    await bed.http.aclose()


async def test_nobody_else_steers_the_sandbox_of_a_drill(ground: tuple[str, str]) -> None:
    url, secret = ground
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        order = {"provider": "openai", "fault": "hang"}
        assert (await stranger.post(f"{url}/_sandbox/faults", json=order)).status_code == 403
        assert (
            await stranger.get(f"{url}/_sandbox/requests", headers={"x-sandbox-secret": "guess"})
        ).status_code == 403
        known = {"x-sandbox-secret": secret}
        assert (await stranger.get(f"{url}/_sandbox/requests", headers=known)).status_code == 200
