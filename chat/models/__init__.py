"""Conversations, their messages, the runs that answer them, the journal of each run, and what tools need."""

from chat.models.conversations import Conversation, Message
from chat.models.runs import Run, StreamEvent
from chat.models.tools import ClientCall, McpServer

__all__ = ["ClientCall", "Conversation", "McpServer", "Message", "Run", "StreamEvent"]
