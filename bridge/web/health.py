"""``/health`` and ``/metrics``, for whoever runs the bridge."""

from datetime import timedelta

import orjson
import sqlalchemy as sa
from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bridge.core.gates import Why
from bridge.parts import Bridge
from bridge.storage.drafts import Drafts
from bridge.storage.gates import pauses_of

_STATES = {Why.THROTTLED: 1, Why.MAINTENANCE: 2}

health = Blueprint("health", __name__)


@health.get("/health/liveness")
def liveness() -> ResponseReturnValue:
    """Answer while the process can."""
    return _answer(200, {"status": "up"})


@health.get("/health/startup")
@health.get("/health/readiness")
def readiness() -> ResponseReturnValue:
    """Say whether write actions can be accepted: that takes our own database, and the issuer's keys."""
    bridge: Bridge = current_app.extensions["bridge"]
    database, keys = _database_answers(bridge), bridge.keys.ready
    ready = database and keys
    return _answer(200 if ready else 503, {"status": "up" if ready else "down", "database": database, "keys": keys})


@health.get("/health/deep")
def deep() -> ResponseReturnValue:
    """Say also whether somebody works on what was accepted. Other systems being away does not make us unready."""
    bridge: Bridge = current_app.extensions["bridge"]
    now = bridge.clock()
    if not _database_answers(bridge):
        return _answer(503, {"status": "down", "database": False})
    with bridge.store.reading() as tx:
        workers = tx.live_workers(since=now - timedelta(seconds=bridge.settings.worker_silent))
        unfinished, oldest = tx.backlog()
    age = 0.0 if oldest is None else (now - oldest).total_seconds()
    up = workers > 0 and bridge.keys.ready
    return _answer(
        200 if up else 503,
        {
            "status": "up" if up else "degraded",
            "database": True,
            "keys": bridge.keys.ready,
            "workers": workers,
            "unfinishedOperations": unfinished,
            "oldestOperationAgeSeconds": round(age, 1),
            "apps": bridge.apps.told(),
            "paused": {
                each.system: each.why.value
                for each in pauses_of(bridge.store, now=bridge.clock())
                if each.until is not None
            },
        },
    )


@health.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Give this process's measurements in Prometheus' text format."""
    bridge: Bridge = current_app.extensions["bridge"]
    with bridge.store.reading() as tx:
        unfinished, oldest = tx.backlog()
        followed, ended = Drafts(tx).open(), Drafts(tx).last_ended()
    bridge.metrics.gates.labels("altinn2").set(0)
    for each in pauses_of(bridge.store, now=bridge.clock()):
        bridge.metrics.gates.labels(each.system).set(0 if each.until is None else _STATES[each.why])
    bridge.metrics.unfinished.set(unfinished)
    bridge.metrics.drafts_open.set(followed)
    bridge.metrics.drafts_ended.set(0 if ended is None else ended.timestamp())
    bridge.metrics.oldest.set(0 if oldest is None else (bridge.clock() - oldest).total_seconds())
    return Response(generate_latest(bridge.metrics.registry), content_type=CONTENT_TYPE_LATEST)


def _database_answers(bridge: Bridge) -> bool:
    try:
        with bridge.store.reading() as tx:
            tx.backlog()
    except sa.exc.SQLAlchemyError:
        return False
    return True


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status=status, content_type="application/json")
