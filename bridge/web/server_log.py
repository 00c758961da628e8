"""gunicorn's own messages, in our log's form."""

from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):  # type: ignore[misc]
    """Leaves its messages to the root logger instead of formatting them itself."""

    def setup(self, cfg: Any) -> None:
        """Keep the level; take no handler."""
        self.error_log.setLevel(cfg.loglevel.upper())
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.disabled = True
