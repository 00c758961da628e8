"""
Dialogporten's published OpenAPI documents, as the judge of what is said between the bridge and the sandbox.

The documents lie in ``../shared``; where they are missing, nothing is judged. What they do not say, though the real
program does it, stands in ``UNSAID``, each with its reason.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathNotFound
from werkzeug import Request, Response

from bridge.sandbox.core.http_system import FAULTY

CONTRACTS = Path(__file__).parents[2] / "shared" / "contracts" / "dialogporten"
PREFIX = "/dialogporten"
PARTS = ("serviceowner", "enduser")

_PART = re.compile(rf"{PREFIX}/api/v1/({'|'.join(PARTS)}|metadata)/")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

UNSAID = [
    (
        re.compile(r"Additional properties are not allowed \('authorizationContext' was unexpected\)"),
        "facts 3.9: merged after the documents were taken",
    ),
    (
        re.compile(
            r"^PATCH .* (400|412|422): : Content for the following mimetype not found: application/problem\+json"
        ),
        "recorded: what a faulty request is told is application/problem+json, whatever the document says of the status",
    ),
]
"""What the documents do not say, and why it is right all the same."""


def documents() -> dict[str, OpenAPI]:
    """Read the published documents, one for each kind of caller; none where the folder is missing."""
    paths = {part: CONTRACTS / f"repo-1.119.1.openapi.{part}.normalised.json" for part in PARTS}
    both = ("application/problem+json", "application/json-patch+json")
    config = Config(extra_media_type_deserializers=dict.fromkeys(both, json.loads))
    return {
        part: OpenAPI.from_dict(json.loads(path.read_text("utf-8-sig")), config=config)
        for part, path in paths.items()
        if path.is_file()
    }


class Judge:
    """Notes what goes against the documents; exchanges of one shape are judged once."""

    def __init__(
        self, documents: dict[str, OpenAPI], *, unsaid: Sequence[tuple[re.Pattern[str], str]] = UNSAID
    ) -> None:
        self._documents = documents
        self._unsaid = unsaid
        self._seen: set[object] = set()
        self.faults: list[str] = []
        self.judged = 0

    def around(self, app: WSGI) -> WSGI:
        """Listen in on *app*."""

        def listening(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            found = _PART.match(environ.get("PATH_INFO", ""))
            if found is None or not self._documents:
                return app(environ, start_response)
            sent = environ["wsgi.input"].read()
            environ["wsgi.input"] = io.BytesIO(sent)
            environ["CONTENT_LENGTH"] = str(len(sent))
            head: list[Any] = []

            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
                head[:] = [status, headers]
                return start_response(status, headers, exc_info)

            asked = {**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix(PREFIX)}
            pieces = app(environ, start)
            if environ.get(FAULTY):
                return pieces
            answer = b"".join(_all(pieces))
            asked["wsgi.input"] = io.BytesIO(sent)
            self._judge(found[1], Request(asked), sent, Response(answer, head[0], head[1]), answer)
            return [answer]

        return listening

    @property
    def listens(self) -> bool:
        """Whether it has something to judge by."""
        return bool(self._documents)

    def take(self) -> list[str]:
        """Give what went against the documents since it was last asked."""
        found, self.faults = self.faults, []
        return found

    def _judge(self, part: str, request: Request, sent: bytes, response: Response, answer: bytes) -> None:
        shape = (
            *(part, request.method, _ID.sub("", request.path), tuple(sorted(request.args))),
            *(response.status_code, _shape(sent), _shape(answer)),
        )
        if shape in self._seen:
            return
        self._seen.add(shape)
        self.judged += 1
        document = self._documents.get(part, self._documents["enduser"])
        asked, answered = WerkzeugOpenAPIRequest(request), WerkzeugOpenAPIResponse(response)
        where = f"{request.method} {_ID.sub('…', request.path)} {response.status_code}"
        try:
            if response.status_code < 300:
                document.validate_request(asked)
            document.validate_response(asked, answered)
        except PathNotFound as error:
            self._note(where, str(error))
        except OpenAPIError as error:
            causes = getattr(error.__cause__, "schema_errors", ())
            for each in causes or (error.__cause__ or error,):
                place = "/".join(str(step) for step in getattr(each, "absolute_path", ()))
                self._note(where, f"{place}: {getattr(each, 'message', each)}"[:300])

    def _note(self, where: str, what: str) -> None:
        fault = f"{where}: {what}"
        if not any(pattern.search(fault) for pattern, _ in self._unsaid):
            self.faults.append(fault)


def _all(pieces: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


def _shape(body: bytes) -> object:
    try:
        return _shape_of(json.loads(body)) if body else None
    except ValueError:
        return "no JSON"


def _shape_of(value: object) -> object:
    match value:
        case dict():
            return frozenset((name, _shape_of(each)) for name, each in value.items())
        case list():
            return frozenset(map(_shape_of, value))
        case str():
            # Words of a list of words stay, everything else counts by its kind.
            return value if value.isalpha() and len(value) < 30 else re.sub(r"\w", "x", value)[:40]
        case _:
            return type(value).__name__
