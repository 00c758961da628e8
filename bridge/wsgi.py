"""The app for a WSGI server of one's own: ``bridge.wsgi:create()``. Nothing happens on import."""

import os

from flask import Flask

from bridge.config.settings import Settings
from bridge.logs import configure
from bridge.serving import Service, lock_embedded_store
from bridge.starting import say_parts, say_start, told_in_the_log
from bridge.wiring import prepare_database


def create() -> Flask:
    """The app of a service by the environment's settings, whose threads run in this process from now on."""
    configure("info")
    with told_in_the_log():
        settings = Settings.from_environ(os.environ)
        configure(settings.log_level)
        lock = lock_embedded_store(settings)
        say_start("bridge under a WSGI server", settings)
        prepare_database(settings)
        service = Service(settings)
        say_parts(service.bridge)
        service.app.extensions["bridge.lock"] = lock
        service.start()
    return service.app
