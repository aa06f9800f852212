"""Conversations, their messages and files, the runs that answer them, the journal of each run, and what tools need."""

from chat.models.attachments import Attachment, AttachmentPage
from chat.models.conversations import Conversation, Message
from chat.models.runs import Run, StreamEvent
from chat.models.tools import ClientCall, McpServer

__all__ = [
    "Attachment",
    "AttachmentPage",
    "ClientCall",
    "Conversation",
    "McpServer",
    "Message",
    "Run",
    "StreamEvent",
]
