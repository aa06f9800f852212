"""Conversations, their messages and files, the runs that answer them, and the journal of each run."""

from chat.models.attachments import Attachment, AttachmentPage
from chat.models.conversations import Conversation, Message
from chat.models.runs import Run, StreamEvent

__all__ = ["Attachment", "AttachmentPage", "Conversation", "Message", "Run", "StreamEvent"]
