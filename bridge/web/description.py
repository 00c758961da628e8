"""``/openapi.json`` and ``/docs``: what can be asked of the bridge, for programs and for people."""

import orjson
from flask import Blueprint, Response, current_app, render_template_string
from flask.typing import ResponseReturnValue

from bridge.core.texts import TEXTS
from bridge.parts import Bridge
from bridge.web.openapi import document

description = Blueprint("description", __name__)


@description.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Give the description as OpenAPI 3.1."""
    return Response(orjson.dumps(document(_public_url())), content_type="application/json")


@description.get("/docs")
def docs() -> ResponseReturnValue:
    """Give the same as a page, which runs nothing and loads nothing."""
    codes = {code: TEXTS[code]["en"].title for code in sorted(TEXTS)}
    page = render_template_string(_PAGE, described=document(_public_url()), codes=codes)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _public_url() -> str | None:
    bridge: Bridge = current_app.extensions["bridge"]
    return bridge.settings.public_url


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{ described.info.title }}</title>
<style>
body { font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
td, th { padding: .2em 1em .2em 0; text-align: left; vertical-align: top }
</style>
{% macro table(heading, rows) %}
<table>
<tr><th>{{ heading }}</th><th>means</th></tr>
{% for name, text in rows %}<tr><td><code>{{ name }}</code></td><td>{{ text }}</td></tr>
{% endfor %}</table>
{% endmacro %}
<h1>{{ described.info.title }} {{ described.info.version }}</h1>
<p>{{ described.info.description }} For programs: <a href="openapi.json">openapi.json</a>.</p>
{% for path, operations in described.paths.items() %}
{% set one = operations.values() | first %}
<h2><code>{{ operations | join(" ") | upper }} {{ path }}</code></h2>
<p>{{ one.summary }}. {{ one.description }}</p>
{% if one.parameters %}
{% set rows = [] %}
{% for each in one.parameters %}{% set _ = rows.append((each.name, each.description or each["in"])) %}{% endfor %}
{{ table("parameter", rows) }}
{% endif %}
{% set rows = [] %}
{% for status, each in one.responses.items() %}{% set _ = rows.append((status, each.description)) %}{% endfor %}
{{ table("answer", rows) }}
{% endfor %}
<h2>Problems</h2>
<p>The last part of <code>type</code>.</p>
{{ table("code", codes.items()) }}
</html>
"""
