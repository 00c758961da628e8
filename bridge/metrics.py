"""What operators measure. Labels are names from mappings and tables: never an id, a party or a value."""

import platform
from dataclasses import dataclass, field
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

UNEXPECTED = ("request", "step", "job")
"""Where an error is met that nobody had foreseen."""

_UPSTREAM = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_VISIBLE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600)


@dataclass(frozen=True, slots=True)
class Metrics:
    """One process's measurements, in *registry*."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    write_actions: Counter = field(init=False)
    visible: Histogram = field(init=False)
    refusals: Counter = field(init=False)
    finished: Counter = field(init=False)
    unexpected: Counter = field(init=False)
    retries: Counter = field(init=False)
    upstream: Histogram = field(init=False)
    calculations: Counter = field(init=False)
    app_verbs: Gauge = field(init=False)
    credentials: Counter = field(init=False)
    credentials_refused: Gauge = field(init=False)
    pauses: Gauge = field(init=False)
    store_up: Gauge = field(init=False)
    unfinished: Gauge = field(init=False)
    left_out: Counter = field(init=False)
    oldest: Gauge = field(init=False)
    dead: Gauge = field(init=False)
    drafts: Counter = field(init=False)
    drafts_open: Gauge = field(init=False)
    drafts_ended: Gauge = field(init=False)
    drafts_failing: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Register the measurements."""

        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put(
            "write_actions",
            Counter(
                "bridge_write_actions",
                "Write actions that were answered.",
                ["service", "action", "answer"],
                registry=self.registry,
            ),
        )
        put(
            "visible",
            Histogram(
                "bridge_write_action_visible_seconds",
                "From acceptance until the dialog shows the outcome.",
                ["service", "action", "outcome"],
                buckets=_VISIBLE,
                registry=self.registry,
            ),
        )
        put(
            "refusals",
            Counter("bridge_refusals", "Requests answered with a problem.", ["code"], registry=self.registry),
        )
        put(
            "finished",
            Counter(
                "bridge_operations_finished",
                "Operations that this process brought to their end, and the problem that they ended with, if any.",
                ["service", "action", "outcome", "problem"],
                registry=self.registry,
            ),
        )
        put(
            "unexpected",
            Counter(
                "bridge_unexpected_errors",
                "Errors that nobody had foreseen, by where they were met: each is a fault of the bridge.",
                ["where"],
                registry=self.registry,
            ),
        )
        for where in UNEXPECTED:
            # That none was counted is told, too: an alarm on the first one needs the nought before it.
            self.unexpected.labels(where)
        build = Info("bridge_build", "What runs here.", registry=self.registry)
        build.info({"version": version("altinn-dialog-bridge"), "python": platform.python_version()})
        put(
            "retries",
            Counter("bridge_retries", "Steps that will be tried again.", ["stage", "why"], registry=self.registry),
        )
        put(
            "upstream",
            Histogram(
                "bridge_upstream_request_seconds",
                "Calls to other systems.",
                ["upstream", "method", "status_class"],
                buckets=_UPSTREAM,
                registry=self.registry,
            ),
        )
        put(
            "calculations",
            Counter(
                "bridge_calculations",
                "Calls that the calculation proxy answered, by what was meant and how the answer began.",
                ["app", "meaning", "status_class"],
                registry=self.registry,
            ),
        )
        put(
            "app_verbs",
            Gauge(
                "bridge_app_verbs",
                "1 for the verbs that an app was found to understand.",
                ["app", "verbs"],
                registry=self.registry,
            ),
        )
        put(
            "credentials",
            Counter(
                "bridge_own_credentials_refusals",
                "Calls of this process that failed as the bridge itself was refused.",
                ["system"],
                registry=self.registry,
            ),
        )
        put(
            "credentials_refused",
            Gauge(
                "bridge_own_credentials_refused",
                "1 for a system that refuses the bridge's own credentials, in whichever process.",
                ["system"],
                registry=self.registry,
            ),
        )
        put(
            "pauses",
            Gauge(
                "bridge_upstream_pause_state",
                "0 for a system that is called, 1 for one that asked for a pause, 2 for one down for maintenance.",
                ["upstream"],
                registry=self.registry,
            ),
        )
        put(
            "store_up",
            Gauge("bridge_store_up", "1 while the store can be written.", registry=self.registry),
        )
        put(
            "unfinished",
            Gauge("bridge_operations_unfinished", "Operations not finished.", registry=self.registry),
        )
        put(
            "oldest",
            Gauge(
                "bridge_oldest_operation_age_seconds",
                "Age of the oldest unfinished operation.",
                registry=self.registry,
            ),
        )
        put(
            "left_out",
            Counter(
                "bridge_dialog_left_out",
                "Outcomes of which a dialog was told less than it should say, by how much was told.",
                ["service", "rung"],
                registry=self.registry,
            ),
        )
        put(
            "dead",
            Gauge(
                "bridge_operations_dead",
                "Operations that wait for an operator, by why: dead letters, and held ones (store_restored).",
                ["why"],
                registry=self.registry,
            ),
        )
        put(
            "drafts",
            Counter(
                "bridge_drafts",
                "Elements under completion that a run did something with, by what it did.",
                ["service", "what"],
                registry=self.registry,
            ),
        )
        put(
            "drafts_open",
            Gauge("bridge_drafts_open", "Dialogs that follow an element.", registry=self.registry),
        )
        put(
            "drafts_failing",
            Gauge(
                "bridge_drafts_failing",
                "Elements and reportees that failed by themselves when a run last tried them.",
                registry=self.registry,
            ),
        )
        put(
            "drafts_ended",
            Gauge(
                "bridge_drafts_last_run_timestamp_seconds",
                "When a run among elements under completion last came to its end; 0 is never.",
                registry=self.registry,
            ),
        )
