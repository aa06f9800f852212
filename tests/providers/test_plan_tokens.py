"""Tokens of a ChatGPT plan that rotate, and what is sent with them."""

import asyncio
from typing import Any

import pytest

from accounts.policies import Actor
from providers import credentials, renewal, runtime
from providers.adapters import openai_faults
from providers.adapters.openai_plan import FORBIDDEN
from providers.contract import GenerateRequest, ModelInfo
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from tests.providers.endpoint import Endpoint, endpoint
from tests.providers.plans import ISSUED, KEY, REQUEST, alone, ended, forms, kept, ref, vendor
from tests.providers.upstream import asked

__all__ = ["endpoint", "vendor"]
pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- tokens that rotate
def test_the_next_renewal_token_is_kept_before_it_is_used(alice: Actor, vendor: Endpoint) -> None:
    row = ended(alice)
    first = alone(renewal.aopen_ref(ref(row)))
    assert first.secret.reveal() == "sk-plan-0001-aaaaaaaaaaaaaaaaaaaa"
    assert dict(credentials.hold(row.pk).keep) == {"refresh_token": "rt_FAKE_1"}
    second = alone(renewal.arenew(first))
    assert second.secret.reveal() == "sk-plan-0002-aaaaaaaaaaaaaaaaaaaa"
    assert [one["refresh_token"] for one in forms(vendor)] == ["rt_FAKE_0", "rt_FAKE_1"]
    assert forms(vendor)[0] == {
        "grant_type": "refresh_token",
        "client_id": ISSUED,
        "refresh_token": "rt_FAKE_0",
        "resource": "https://api.openai.com/v1",
    }
    assert first.origin("m") == second.origin("m")


def test_many_calls_use_a_renewal_token_once(alice: Actor, vendor: Endpoint) -> None:
    row = ended(alice)

    async def many() -> list[Any]:
        return await asyncio.gather(*(renewal.aopen_ref(ref(row)) for _ in range(20)))

    assert {one.secret.reveal() for one in alone(many())} == {"sk-plan-0001-aaaaaaaaaaaaaaaaaaaa"}
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("code", ["refresh_token_reused", "refresh_token_invalidated", "refresh_token_expired"])
def test_a_renewal_token_that_is_over_ends_the_session(alice: Actor, vendor: Endpoint, code: str) -> None:
    row = ended(alice)
    vendor.status = 400
    vendor.said = lambda: {"error": {"code": code}}  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(ProviderError) as failed:
            alone(renewal.aopen_ref(ref(row)))
        assert failed.value.code is ErrorCode.SESSION_EXPIRED
    assert len(vendor.asked) == 1
    row.refresh_from_db()
    assert row.state == "expired"


# ---------------------------------------------------------------- what is sent
def answered(row: Credential, request: GenerateRequest = REQUEST) -> Any:
    async def ask() -> Any:
        adapter = await runtime.adapter("openai")
        return await adapter.generate(await renewal.aopen_ref(ref(row)), request)

    return alone(ask())


def test_forbidden_fields_are_never_sent(alice: Actor, vendor: Endpoint, vendors: str) -> None:
    answered(kept(alice))
    (seen,) = [one["body"] for one in asked(vendors) if one["path"].endswith("/responses")][-1:]
    assert {
        "background", "conversation", "max_output_tokens", "max_tool_calls", "metadata", "moderation", "prompt",
        "safety_identifier", "temperature", "top_p", "truncation", "user", "previous_response_id",
    } == FORBIDDEN  # fmt: skip
    assert FORBIDDEN & set(seen) == set()
    assert (seen["store"], seen["stream"], seen["instructions"]) == (False, True, "Be brief.")
    assert isinstance(seen["input"], list)
    assert "system" not in {one.get("role") for one in seen["input"]}
    assert [one["name"] for one in seen["tools"]] == ["clock"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"code": "subscription_sharing_invalid_user"}, ErrorCode.SESSION_EXPIRED),
        (403, {"detail": "subscription_sharing_invalid_user"}, ErrorCode.SESSION_EXPIRED),
        (403, {"code": "subscription_sharing_user_not_eligible"}, ErrorCode.PERMISSION_DENIED),
        (403, {"code": "chatpass_v2_something"}, ErrorCode.PERMISSION_DENIED),
        (429, {"code": "subscription_sharing_usage_limit_exceeded"}, ErrorCode.QUOTA_EXCEEDED),
        (None, {"code": "subscription_sharing_usage_limit_exceeded"}, ErrorCode.QUOTA_EXCEEDED),
        (503, {"code": "subscription_sharing_usage_unavailable"}, ErrorCode.PROVIDER_UNAVAILABLE),
        (400, {"code": "subscription_sharing_unsupported_capability"}, ErrorCode.INVALID_REQUEST),
    ],
)
def test_what_the_vendor_says_of_plans_is_understood(status: int | None, body: dict[str, str], code: ErrorCode) -> None:
    assert openai_faults.failure("openai", body, status=status).code is code


def test_a_key_still_sends_them(alice: Actor, vendor: Endpoint, vendors: str) -> None:
    answered(credentials.save(alice, provider_id="openai", secret=KEY, shared=False))
    (seen,) = [one["body"] for one in asked(vendors) if one["path"].endswith("/responses")][-1:]
    assert {"max_output_tokens", "temperature", "safety_identifier"} <= set(seen)


def test_the_models_of_a_plan_are_listed(alice: Actor, vendor: Endpoint, vendors: str) -> None:
    row = kept(alice)

    async def listed() -> list[ModelInfo]:
        return await (await runtime.adapter("openai")).list_models(await renewal.aopen_ref(ref(row)))

    found = {one.model_id: one.label for one in alone(listed())}
    assert "gpt-sandbox" in found
    assert found["gpt-sandbox"]
    assert "gpt-sandbox-hidden" not in found
