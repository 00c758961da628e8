"""``/health`` and ``/metrics``, for whoever runs the bridge. Nothing here waits for the store or for anybody else."""

from datetime import datetime

import orjson
from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bridge.core.operations import HELD
from bridge.core.upstream_pause import Why
from bridge.parts import Bridge
from bridge.storage.watch import Backlog, Seen

_STATES = {Why.THROTTLED: 1, Why.MAINTENANCE: 2}

LATE_RUNS, LATE_AT_LEAST = 3, 3600.0
"""A run among elements under completion is late after so many times its pause, and so many seconds."""

health = Blueprint("health", __name__)


@health.get("/health/liveness")
def liveness() -> ResponseReturnValue:
    """Answer while the process can."""
    return _answer(200, {"status": "up"})


@health.get("/health/startup")
@health.get("/health/readiness")
def readiness() -> ResponseReturnValue:
    """Whether write actions can be accepted: that takes our own database, written to, and the issuer's keys."""
    bridge: Bridge = current_app.extensions["bridge"]
    seen, keys = bridge.watch.seen(), bridge.keys.ready
    ready = seen.trouble is None and keys
    # Elements that no dialog could be made for are no reason to refuse presses on those that have one.
    failing = {} if seen.backlog is None else {"draftsFailing": seen.backlog.drafts_failing}
    status = "up" if ready else "down"
    return _answer(200 if ready else 503, {"status": status, **_database(seen), "keys": keys, **failing})


@health.get("/health/deep")
def deep() -> ResponseReturnValue:
    """The state of store, keys and workers. Other systems being away does not make us unready."""
    bridge: Bridge = current_app.extensions["bridge"]
    now, seen = bridge.clock(), bridge.watch.seen()
    known = seen.backlog
    if seen.trouble is not None or known is None:
        return _answer(503, {"status": "down", **_database(seen), "keys": bridge.keys.ready})
    age = 0.0 if known.oldest is None else (now - known.oldest).total_seconds()
    refusing = [each for each in known.refusing if each.stands(now)]
    up = known.workers > 0 and bridge.keys.ready and not refusing and not _late(bridge, known, now)
    return _answer(
        200 if up else 503,
        {
            "status": "up" if up else "degraded",
            **_database(seen),
            "keys": bridge.keys.ready,
            "workers": known.workers,
            "unfinishedOperations": known.unfinished,
            "oldestOperationAgeSeconds": round(age, 1),
            "deadOperations": {why: count for why, count in known.dead.items() if why != HELD},
            "heldOperations": known.dead.get(HELD, 0),
            "drafts": _drafts(bridge, known, now),
            "apps": bridge.apps.status(),
            "refusingUs": {each.system: {"why": each.why, "at": each.at.isoformat()} for each in refusing},
            "paused": {
                each.system: each.why.value for each in known.pauses if each.until is not None and each.until > now
            },
        },
    )


@health.get("/metrics")
def metrics() -> ResponseReturnValue:
    """This process's measurements in Prometheus' text format; of the store, what was last seen."""
    bridge: Bridge = current_app.extensions["bridge"]
    now, seen, metrics = bridge.clock(), bridge.watch.seen(), bridge.metrics
    metrics.store_up.set(seen.trouble is None)
    if (known := seen.backlog) is not None:
        metrics.pauses.labels("altinn2").set(0)
        for each in known.pauses:
            paused = each.until is not None and each.until > now
            metrics.pauses.labels(each.system).set(_STATES[each.why] if paused else 0)
        metrics.credentials_refused.clear()
        for refusal in known.refusing:
            if refusal.stands(now):
                metrics.credentials_refused.labels(refusal.system).set(1)
        metrics.dead.clear()
        for why, count in known.dead.items():
            metrics.dead.labels(why).set(count)
        metrics.unfinished.set(known.unfinished)
        metrics.drafts_open.set(known.drafts_open)
        metrics.drafts_failing.set(known.drafts_failing)
        metrics.drafts_ended.set(0 if known.drafts_ended is None else known.drafts_ended.timestamp())
        metrics.oldest.set(0 if known.oldest is None else (now - known.oldest).total_seconds())
    return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)


def _drafts(bridge: Bridge, known: Backlog, now: datetime) -> dict[str, object]:
    ended = known.drafts_ended
    return {
        "open": known.drafts_open,
        "failing": known.drafts_failing,
        "lastRunEndedAt": None if ended is None else ended.isoformat(),
        "late": _late(bridge, known, now),
    }


def _late(bridge: Bridge, known: Backlog, now: datetime) -> bool:
    """Whether runs that should come regularly do not come to their end any more."""
    every = bridge.settings.drafts_every
    if not every or known.drafts_ended is None:
        return False
    return (now - known.drafts_ended).total_seconds() > max(LATE_RUNS * every, LATE_AT_LEAST)


def _database(seen: Seen) -> dict[str, object]:
    return {"database": True} if seen.trouble is None else {"database": False, "why": seen.trouble.value}


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status=status, content_type="application/json")
