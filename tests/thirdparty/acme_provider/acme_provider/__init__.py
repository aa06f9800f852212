"""Acme's line in the registry. Nothing else is imported here: Parley loads the adapter when it is first needed."""

from providers.registry import Provider

ACME = Provider(
    provider_id="acme",
    label="Acme",
    letter="X",
    adapter="acme_provider.adapter:Acme",
    capabilities=frozenset({"text"}),
    base_url_required=True,
)
