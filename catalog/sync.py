"""Reads the providers' own lists into the catalog: rows are added, updated and flagged, never deleted.

With whose key a provider is listed is `credentials.for_listing`: the installation's, else a workspace's, else a
member's own, so that whoever adds the only key of a provider finds its models. The list is the vendor's and the rows
are shared; what names a customer (fine-tuned models) is left out when the key is not the installation's.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from catalog import defaults
from catalog.merging import Listed, merge
from catalog.models import LanguageModel, ProviderSync
from providers import checks, credentials, registry
from providers.contract import ModelInfo
from providers.database import in_database
from providers.errors import ErrorCode, ProviderError
from providers.resolution import Descriptor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one provider's sync went. `error` is empty after a success, also when there was no key to list with."""

    provider_id: str
    model_count: int
    error: str = ""


async def sync_all(names: Collection[str] | None = None) -> list[Outcome]:
    """Every available provider, or those named, at once; one that fails or hangs changes nothing for the others."""
    names = [one.provider_id for one in registry.available() if names is None or one.provider_id in names]
    results = await asyncio.gather(*(_one(name) for name in names), return_exceptions=True)
    await in_database(defaults.ensure_installation)
    return [_outcome(name, result) for name, result in zip(names, results, strict=True)]


async def sync_provider(provider_id: str) -> Outcome:
    """One available provider; at most 20 s for each credential that is tried. Never raises ProviderError."""
    return (await sync_all([provider_id]))[0]


async def _one(provider_id: str) -> Outcome:
    groups = await in_database(credentials.for_listing, provider_id)
    if not groups:
        return Outcome(provider_id, 0)
    lists = await asyncio.gather(*(_list(group) for group in groups), return_exceptions=True)
    listed = [one for one in lists if isinstance(one, Listed)]
    failed = [one for one in lists if isinstance(one, BaseException)]
    for error in failed:
        if not isinstance(error, ProviderError):
            log.error("Listing the models of %s failed.", provider_id, exc_info=error)
    errors = [error.code if isinstance(error, ProviderError) else ErrorCode.PROVIDER_UNAVAILABLE for error in failed]
    outcome = Outcome(provider_id, sum(len(one.models) for one in listed), errors[0].value if errors else "")
    await in_database(_store, provider_id, listed, outcome, groups)
    return outcome


async def _list(group: list[Descriptor]) -> Listed:
    """What the first working credential of a place lists. Raises the last ProviderError when none works."""
    for descriptor in group[:-1]:
        try:
            return _listed(descriptor, await checks.list_models(descriptor.ref))
        except ProviderError as error:
            log.info("Listing %s with %s: %s", descriptor.provider_id, descriptor.ref, error.code.value)
    return _listed(group[-1], await checks.list_models(group[-1].ref))


def _listed(descriptor: Descriptor, models: list[ModelInfo]) -> Listed:
    installed = descriptor.source in {"environment", "sandbox"}
    return Listed(tuple(models), sandbox=descriptor.sandbox, shared=installed)


def _store(provider_id: str, listed: list[Listed], outcome: Outcome, groups: list[list[Descriptor]]) -> None:
    now = timezone.now()
    expected = {group[0].sandbox: 0 for group in groups}
    for group in groups:
        expected[group[0].sandbox] += 1
    # Only where every place answered is an absence a fact.
    complete = {side for side, count in expected.items() if sum(one.sandbox == side for one in listed) == count}
    with transaction.atomic():
        rows = {row.model_id: row for row in LanguageModel.objects.filter(provider_id=provider_id)}
        fresh, changed = merge(provider_id, rows, listed, complete=complete, now=now)
        # Two processes may sync at once: the second one's insert is the first one's row.
        LanguageModel.objects.bulk_create(fresh, ignore_conflicts=True)
        LanguageModel.objects.bulk_update(changed, Listed.COLUMNS, batch_size=200)
        ProviderSync.objects.update_or_create(
            provider_id=provider_id,
            defaults={"finished_at": now, "error_code": outcome.error, "model_count": outcome.model_count},
        )


def _outcome(provider_id: str, result: Outcome | BaseException) -> Outcome:
    if isinstance(result, Outcome):
        return result
    log.error("Syncing the models of %s failed.", provider_id, exc_info=result)
    return Outcome(provider_id, 0, ErrorCode.PROVIDER_UNAVAILABLE.value)
