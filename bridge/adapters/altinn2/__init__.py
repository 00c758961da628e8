"""Altinn 2's end-user API: elements, forms, attachments, and who may do what with them."""

from bridge.adapters.altinn2.client import LONGEST_SEARCH, Altinn2Client
from bridge.adapters.altinn2.errors import ListTruncated, UnsafeUpdate
from bridge.adapters.altinn2.messages import PAGE
from bridge.adapters.altinn2.wire import SYSTEM

__all__ = ["LONGEST_SEARCH", "PAGE", "SYSTEM", "Altinn2Client", "ListTruncated", "UnsafeUpdate"]
