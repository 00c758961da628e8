"""What Altinn 2 says of its services, held against mappings: ``altinn-bridge check --online``."""

from collections.abc import Sequence

from bridge.adapters.altinn2.metadata import MetadataClient, MetadataFiles, online_faults
from bridge.core.mapping import ServiceMapping
from bridge.steps.drivers.protocol import Online, OnlineReport


def check_metadata(mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
    """What the metadata of the *mappings*' services say, as it is now, or where nobody answers, as it was kept."""
    settings = online.settings
    client = MetadataClient(online.session, settings.altinn2_url, clock=online.clock, timeout=settings.upstream_timeout)
    report = OnlineReport()
    report.faults += online_faults(
        mappings,
        client,
        MetadataFiles(settings.altinn2_metadata),
        now=online.clock(),
        notes=report.notes,
        other=online.schemas.begins_otherwise,
    )
    return report
