"""What operators measure. Labels are names from mappings and tables: never an id, a party or a value."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase

UNEXPECTED = ("request", "step", "job")
"""Where an error is met that nobody had foreseen."""

_UPSTREAM = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_VISIBLE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600)


def _made(kind: type[MetricWrapperBase], name: str, text: str, *labels: str, **more: Any) -> Mapping[str, object]:
    """How a field is made, which is done for each registry."""
    return {"made": partial(kind, name, text, labels, **more)}


@dataclass(frozen=True, slots=True)
class Metrics:
    """One process's measurements, in *registry*."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    write_actions: Counter = field(
        init=False,
        metadata=_made(
            Counter, "bridge_write_actions", "Write actions that were answered.", "service", "action", "answer"
        ),
    )
    visible: Histogram = field(
        init=False,
        metadata=_made(
            Histogram,
            "bridge_write_action_visible_seconds",
            "From acceptance until the dialog shows the outcome.",
            "service",
            "action",
            "outcome",
            buckets=_VISIBLE,
        ),
    )
    refusals: Counter = field(
        init=False, metadata=_made(Counter, "bridge_refusals", "Requests answered with a problem.", "code")
    )
    finished: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_operations_finished",
            "Operations that this process brought to their end, and the problem that they ended with, if any.",
            "service",
            "action",
            "outcome",
            "problem",
        ),
    )
    unexpected: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_unexpected_errors",
            "Errors that nobody had foreseen, by where they were met: each is a fault of the bridge.",
            "where",
        ),
    )
    build: Info = field(init=False, metadata=_made(Info, "bridge_build", "What runs here."))
    retries: Counter = field(
        init=False, metadata=_made(Counter, "bridge_retries", "Steps that will be tried again.", "stage", "why")
    )
    upstream: Histogram = field(
        init=False,
        metadata=_made(
            Histogram,
            "bridge_upstream_request_seconds",
            "Calls to other systems.",
            "upstream",
            "method",
            "status_class",
            buckets=_UPSTREAM,
        ),
    )
    calculations: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_calculations",
            "Calls that the calculation proxy answered, by what was meant and how the answer began.",
            "app",
            "meaning",
            "status_class",
        ),
    )
    app_verbs: Gauge = field(
        init=False,
        metadata=_made(
            Gauge, "bridge_app_verbs", "1 for the verbs that an app was found to understand.", "app", "verbs"
        ),
    )
    credentials: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_own_credentials_refusals",
            "Calls of this process that failed as the bridge itself was refused.",
            "system",
        ),
    )
    credentials_refused: Gauge = field(
        init=False,
        metadata=_made(
            Gauge,
            "bridge_own_credentials_refused",
            "1 for a system that refuses the bridge's own credentials, in whichever process.",
            "system",
        ),
    )
    pauses: Gauge = field(
        init=False,
        metadata=_made(
            Gauge,
            "bridge_upstream_pause_state",
            "0 for a system that is called, 1 for one that asked for a pause, 2 for one down for maintenance.",
            "upstream",
        ),
    )
    store_up: Gauge = field(init=False, metadata=_made(Gauge, "bridge_store_up", "1 while the store can be written."))
    unfinished: Gauge = field(
        init=False, metadata=_made(Gauge, "bridge_operations_unfinished", "Operations not finished.")
    )
    oldest: Gauge = field(
        init=False,
        metadata=_made(Gauge, "bridge_oldest_operation_age_seconds", "Age of the oldest unfinished operation."),
    )
    left_out: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_dialog_left_out",
            "Outcomes of which a dialog was told less than it should say, by how much was told.",
            "service",
            "rung",
        ),
    )
    dead: Gauge = field(
        init=False,
        metadata=_made(
            Gauge,
            "bridge_operations_dead",
            "Operations that wait for an operator, by why: dead letters, and held ones (store_restored).",
            "why",
        ),
    )
    drafts: Counter = field(
        init=False,
        metadata=_made(
            Counter,
            "bridge_drafts",
            "Elements under completion that a run did something with, by what it did.",
            "service",
            "what",
        ),
    )
    drafts_open: Gauge = field(
        init=False, metadata=_made(Gauge, "bridge_drafts_open", "Dialogs that follow an element.")
    )
    drafts_failing: Gauge = field(
        init=False,
        metadata=_made(
            Gauge,
            "bridge_drafts_failing",
            "Elements and reportees that failed by themselves when a run last tried them.",
        ),
    )
    drafts_ended: Gauge = field(
        init=False,
        metadata=_made(
            Gauge,
            "bridge_drafts_last_run_timestamp_seconds",
            "When a run among elements under completion last came to its end; 0 is never.",
        ),
    )

    def __post_init__(self) -> None:
        """Register the measurements."""
        for each in fields(self):
            if (made := each.metadata.get("made")) is not None:
                object.__setattr__(self, each.name, made(registry=self.registry))
        for where in UNEXPECTED:
            # That none was counted is told, too: an alarm on the first one needs the nought before it.
            self.unexpected.labels(where)
        self.build.info({"version": version("altinn-dialog-bridge"), "python": platform.python_version()})
