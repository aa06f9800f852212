"""Conversations, their messages and files, the runs that answer them, the journal of each run, what tools need,
summaries in the place of older messages, the specialists that a run may delegate to, and what runs used."""

from chat.models.attachments import Attachment, AttachmentPage
from chat.models.compactions import Compaction
from chat.models.conversations import Conversation, Message
from chat.models.runs import Run, StreamEvent
from chat.models.specialists import Specialist
from chat.models.tools import ClientCall, McpServer
from chat.models.usage import UsageEntry

__all__ = [
    "Attachment",
    "AttachmentPage",
    "ClientCall",
    "Compaction",
    "Conversation",
    "McpServer",
    "Message",
    "Run",
    "Specialist",
    "StreamEvent",
    "UsageEntry",
]
