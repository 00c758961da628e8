"""One call of the control API: what it was matched with, what it gives, and how what is wrong with it is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import TooLarge, as_json, read_body
from bridge.sandbox.core.members import BadRequest, Kind, Record, Whole, Wrong, bad, parsed, read

_LIMIT = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a call gives: the members of its body and of its query, as their kinds read them."""

    body: Mapping[str, Any]
    query: Mapping[str, Any]
    scopes: Sequence[str] = ()
    """Every ``?scope=``, where the route takes it: the one thing that a query may say several times."""


Handler = Callable[..., Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRoute:
    """A method and a werkzeug rule below ``/_sandbox``, what its body and query may be, and what answers."""

    method: str
    rule: str
    handler: Handler
    body: Kind | None = None
    query: Record = field(default_factory=lambda: Record(members={}))

    def given(self, request: Request) -> Given:
        """
        What *request* gives.

        Raises:
            NotDone: Its body is none of JSON, or too large.
            BadRequest: A member of the body or of the query is unknown, missing or wrong.
        """
        query = _query(request, self.query)
        # Who has nothing to say need not say so in JSON.
        silent = not request.content_length and "Transfer-Encoding" not in request.headers
        wanted = None if silent and isinstance(self.body, Record) and not self.body.members else self.body
        return Given(
            body={} if wanted is None else read(wanted, _json(request)),
            query={name: value for name, value in query.items() if name != "scope"},
            scopes=query.get("scope", ()),
        )


class NotDone(Exception):
    """A call has no effect, for a reason that is none of its members; the message says which."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def problem(status: int, detail: str, wrong: Sequence[Wrong] = ()) -> Response:
    """A problem document: *detail* in one sentence, and what is *wrong* place by place."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if wrong:
        document["errors"] = [{"member": each.place, "detail": each.words} for each in wrong]
    return as_json(status, document, content_type="application/problem+json; charset=utf-8")


def _json(request: Request) -> Any:
    # Any other type could be sent by a web page without a preflight.
    if request.mimetype != "application/json":
        raise NotDone(415, "the body must be JSON, and Content-Type say application/json")
    try:
        return parsed(read_body(request, _LIMIT))
    except TooLarge as error:
        raise NotDone(413, f"the body has {error}, at most {_LIMIT} are taken") from error


def _query(request: Request, kind: Record) -> Mapping[str, Any]:
    """The query's members, each once; numbers as numbers."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        several = name == "scope"
        if len(values) > 1 and not several:
            raise bad(f"?{name}", "is said twice")
        known = kind.members.get(name)
        if known is None:
            there = ", ".join(f"?{each}" for each in kind.members) or "none here"
            raise bad(f"?{name}", f"is unknown: there is {there}")
        text = values[0]
        whole = isinstance(known, Whole) and text.isascii() and text.isdecimal() and len(text) < 16
        value: Any = list(values) if several else int(text) if whole else text
        wrong: list[Wrong] = []
        given[name] = known.read(value, f"?{name}", wrong)
        if wrong:
            raise BadRequest(*wrong)
    return given
