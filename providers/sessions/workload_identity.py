"""Workload identity: a token that the installation's own identity provider signed is exchanged for one of the vendor.

The vendors' SDKs do the same exchange, in a thread, with a client and a cache of their own in each process; here it is
one request over the house's pool, whose result all processes share.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.sessions import endpoint
from providers.sessions.base import Ended, Fetched

# Where the vendors exchange tokens, unless a workspace's session names another place.
ENDPOINTS = {
    "openai": "https://auth.openai.com/oauth/token",
    "anthropic": "https://api.anthropic.com/v1/oauth/token",
}
# What each vendor wants to be told beside the subject token; those of the second group may be left out.
FIELDS = {
    "openai": (("identity_provider_id", "service_account_id"), ()),
    "anthropic": (("federation_rule_id", "organization_id"), ("service_account_id", "workspace_id")),
}
LABELS = {
    "identity_provider_id": "Identity provider ID",
    "service_account_id": "Service account ID",
    "federation_rule_id": "Federation rule ID",
    "organization_id": "Organization ID",
    "workspace_id": "Workspace ID",
}
_ANTHROPIC_BETA = {"anthropic-beta": "oauth-2025-04-20,oidc-federation-2026-04-01"}
LONGEST_SUBJECT = 16 * 1024


async def fetch(exchange: Mapping[str, Any], keep: Mapping[str, str]) -> Fetched:
    """`exchange` has the `vendor`, the `endpoint` and the vendor's fields; the subject token is kept, or read each time
    from the `subject_file` that the operator named."""
    vendor = exchange["vendor"]
    subject = keep.get("subject") or _read(exchange.get("subject_file", ""))
    required, optional = FIELDS[vendor]
    told = {name: exchange[name] for name in (*required, *optional) if exchange.get(name)}
    if vendor == "openai":
        body = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": subject,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        }
        answer = await endpoint.asked(exchange["endpoint"], body=body | told)
    else:
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": subject}
        answer = await endpoint.asked(exchange["endpoint"], body=body | told, headers=_ANTHROPIC_BETA)
    return endpoint.fetched(answer, keep)


def _read(path: str) -> str:
    """The file may be replaced at any moment, so it is read for every exchange. Raises Ended."""
    try:
        with Path(path).open(encoding="ascii") as file:
            subject = file.read(LONGEST_SUBJECT + 1).strip()
    except (OSError, ValueError):
        raise Ended("the subject token cannot be read") from None
    if not subject or len(subject) > LONGEST_SUBJECT:
        raise Ended("the subject token is empty or too long")
    return subject
