"""How long what was sent may still take effect, and which uploads are taken for alive."""

from datetime import datetime, timedelta

from bridge.parts import Bridge
from bridge.storage.attachments import Living

SILENCE = timedelta(seconds=30)
"""How much longer than Altinn 2 may take to answer an upload is taken for alive."""


def upload_silence(bridge: Bridge) -> timedelta:
    """For how long an upload that does not move is taken for alive."""
    return timedelta(seconds=bridge.settings.altinn2_put_timeout) + SILENCE


def living_uploads(bridge: Bridge) -> Living:
    """Which uploads are on their way."""
    return bridge.uploading.living(silent_since=bridge.clock() - upload_silence(bridge))


def latest_arrival(bridge: Bridge) -> datetime:
    """Until when a write that sets out now may take effect, also where we die before it is cut."""
    return bridge.clock() + timedelta(seconds=bridge.settings.altinn2_put_timeout) + bridge.late
