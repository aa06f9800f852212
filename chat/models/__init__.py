"""Conversations, their messages, the runs that answer them, and the journal of each run."""

from chat.models.conversations import Conversation, Message
from chat.models.runs import Run, StreamEvent

__all__ = ["Conversation", "Message", "Run", "StreamEvent"]
