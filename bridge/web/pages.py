"""What a person sees whose browser lands on one of the bridge's own addresses, where no page is (facts 5.2)."""

import base64
import hashlib
from collections.abc import Sequence

from flask import Response, render_template_string
from werkzeug.wrappers import Request

from bridge.core.texts.problems import LANDING, Text
from bridge.web.frame import ICON

PLACES = ("/actions/", "/operations/", "/embeds/", "/prints/")
"""Where dialogs' buttons, embeds and links lead: what is below them may end up in a browser's address field."""

STYLE = """
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color: #1e2b3c }
a { color: #1e4ba5 }
a:focus-visible { outline: 3px solid #e5a000; outline-offset: 2px }
small { color: #4a5768 }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def is_navigation(incoming: Request) -> bool:
    """
    Whether a browser wants to show the answer to a person, at an address where dialogs lead.

    What brings a token is a program: a navigation never has one. Browsers that say so themselves are believed, of
    others those that name HTML before JSON.
    """
    if "Authorization" in incoming.headers or not incoming.path.startswith(PLACES):
        return False
    mode = incoming.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate"
    accepted = incoming.accept_mimetypes
    return "text/html" in accepted.values() and accepted["text/html"] > accepted["application/json"]


def page(problem: Text, *, status: int, language: str, origins: Sequence[str]) -> Response:
    """A page with what *problem* says, what the address is for, and where to go: the first of *origins*."""
    content = render_template_string(
        _PAGE,
        language=language,
        words=LANDING[language],
        # What is amiss with the address itself is no news to a person; that a link is used up is.
        own=status not in (401, 403, 404, 405),
        problem=problem,
        status=status,
        arbeidsflate=next(iter(origins), None),
        style=STYLE,
        icon=ICON,
    )
    response = Response(content, status=status, content_type="text/html; charset=utf-8", headers=HEADERS)
    response.headers["Content-Language"] = language
    # A program that asks for the same address gets a problem document.
    response.vary.update(("Accept", "Accept-Language", "Authorization", "Sec-Fetch-Mode"))
    return response


_PAGE = """<!doctype html>
<html lang="{{ language }}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{% set title = problem.title if own else words.title %}
<link rel="icon" href="{{ icon }}">
<title>{{ title }}</title>
<style>{{ style | safe }}</style>
<main>
<h1>{{ title }}</h1>
<p>{{ problem.detail if own else words.about }}</p>
<p>{{ words.next }}</p>
{% if arbeidsflate %}<p><a href="{{ arbeidsflate }}" rel="noreferrer">{{ words.link }}</a></p>{% endif %}
<p><small>{{ status }}: {{ problem.title }}. {{ problem.detail }}</small></p>
</main>
</html>
"""
