"""What every page has that the bridge writes for people: one file, without scripts, with nothing from elsewhere."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%231e4ba5' "
    "d='M0 5h16v2h-1v7h-3v-2a4 4 0 0 0-8 0v2H1V7H0z'/%3E%3C/svg%3E"
)
"""A bridge. It stands in the page, so that no browser asks for ``/favicon.ico``."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("bridge.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(template: str, *, title: str, language: str, **values: Any) -> str:
    """The page that *template* makes, which fills ``page.html``; all that it shows is escaped."""
    page = _templates().get_template(template)
    return page.render(title=title, language=language, icon=ICON, policy=POLICY, **values)


def growing(template: str, *, title: str, language: str, **values: Any) -> Iterator[str]:
    """The page that ``rendered`` would make, piece by piece, for one that is too large to be held."""
    return part(template, title=title, language=language, icon=ICON, policy=POLICY, **values)


def part(template: str, **values: Any) -> Iterator[str]:
    """The pieces of what *template* makes, which is a part of a page."""
    return _templates().get_template(template).generate(**values)
