"""The table: every page of the console, by its model. What is not said there is refused to everybody."""

from dataclasses import dataclass

from tests.guards.authorization.rules import ADMIN, OUTSIDER, OWNER, SUPERUSER

NOBODY: frozenset[str] = frozenset()
SUPERUSERS = frozenset({SUPERUSER})
ADMITTED = frozenset({OUTSIDER, ADMIN, OWNER, SUPERUSER})


@dataclass(frozen=True, slots=True)
class Page:
    """Who may view, add, change and delete what is in the own workspace; of others it does not exist, except for
    superusers. `everybodys` rows belong to the installation and are the same for all who are admitted."""

    kind: str
    view: frozenset[str] = ADMITTED
    add: frozenset[str] = NOBODY
    change: frozenset[str] = NOBODY
    delete: frozenset[str] = NOBODY
    everybodys: bool = False


PAGES = {
    "accounts.User": Page("member's account", change=SUPERUSERS),
    "accounts.Workspace": Page("workspace", change=ADMITTED),
    "accounts.Membership": Page("membership", change=ADMITTED, delete=ADMITTED),
    "accounts.Invitation": Page("invitation"),
    "accounts.AuditEntry": Page("audit"),
    "providers.Credential": Page("workspace credential", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "providers.CredentialPolicy": Page("credential policy", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "providers.ProviderHealth": Page("health", everybodys=True),
    "providers.Drill": Page("drill", add=ADMITTED, change=ADMITTED),  # a POST to the report shows it, as a GET does
    "chat.McpServer": Page("MCP server", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "accounts.IdentityProvider": Page("identity provider", add=ADMITTED, change=ADMITTED),  # accounts are linked
    "catalog.LanguageModel": Page("model", change=SUPERUSERS, everybodys=True),
    "catalog.ModelAlias": Page("alias", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "catalog.Rule": Page("rule", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "catalog.Limit": Page("limit", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "catalog.ModelMigration": Page("migration"),
    "chat.UsageEntry": Page("usage"),
    "chat.Run": Page("member's run"),
    "chat.Specialist": Page("specialist", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "catalog.ContextDefault": Page("default", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
    "catalog.FallbackStep": Page("fallback", add=ADMITTED, change=ADMITTED, delete=ADMITTED),
}
# Actions on a list, beside Django's own "delete selected"; whoever may view the list may use them on what it shows.
ACTIONS: dict[str, set[str]] = {
    "accounts.Invitation": {"take_back"},
    "providers.Credential": {"check_now"},
    "chat.McpServer": {"ask"},
    "catalog.ModelMigration": {"undo"},
    "chat.Run": {"stop"},
}
# Addresses of our own in a model's pages, and the kind of the row that they name.
EXTRAS = {
    "accounts_auditentry_export": "",
    "accounts_user_reset": "member's account",
    "providers_drill_stop": "drill",
    "providers_drill_download": "drill",
    "chat_specialist_examples": "",  # its own test asks: tests/chat/flows/test_specialists_console.py
    "catalog_rule_access": "",  # its own test asks: tests/catalog/test_access.py
    "catalog_languagemodel_move": "",  # its own tests ask: tests/catalog
    "providers_providerhealth_check": "",  # of the whole installation
}
