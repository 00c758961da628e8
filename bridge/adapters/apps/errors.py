"""What the error of a call to an app tells of the app."""

from bridge.core.errors import UpstreamError

_NO_HTTP = (
    *("BadStatusLine", "LineTooLong", "UnknownProtocol", "InvalidChunkLength", "InvalidHeader", "HeaderParsing"),
    # http.client's own word for more than 100 lines of headers; whatever else it finds has a class of its own.
    "HTTPException",
)
"""Errors of whoever reads an answer, in an error's detail."""


def timed_out(error: UpstreamError) -> bool:
    """Whether a call ended because its time was over."""
    return "Timeout" in error.detail


def no_http(error: UpstreamError) -> bool:
    """Whether an app answered, but nothing that can be read: it is not away, and may have done what it was told."""
    return any(each in error.detail for each in _NO_HTTP)
