"""How the description of the API is made; settings hand it to drf-spectacular."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Parley",
    "DESCRIPTION": "Chat with every model family under your workspace's rules.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "chat.models.Run.State",
        "ContextEnum": "catalog.models.Context",
        "AnsweredEnum": "chat.models.Conversation.ANSWERED",
        "AttachmentKindEnum": "chat.models.Attachment.Kind",
        "AttachmentStateEnum": "chat.models.Attachment.State",
        "CredentialSourceEnum": "catalog.models.Rule.Source",
        "InvitationStateEnum": ["open", "expired"],
        "LimitMeasureEnum": "catalog.models.Limit.Measure",
        "LimitPeriodEnum": "catalog.models.Limit.Period",
        "MessageRoleEnum": "chat.models.Message.Role",
        "RoleEnum": "accounts.models.Role",
        "CredentialKindEnum": "providers.models.Credential.Kind",
        "CredentialStateEnum": "providers.models.Credential.State",
        "CredentialMethodEnum": "providers.models.Credential.Method",
        "EnteredMethodEnum": "providers.models.Credential.ENTERED",
        "DrillStateEnum": "providers.models.Drill.State",
        "DrillKindEnum": "providers.models.Drill.Kind",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "project.schema.complete"],
}
