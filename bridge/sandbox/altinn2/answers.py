"""What Altinn 2 answers about an element, also where something stands in the way (facts/altinn2.md 1, 2, 5)."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.accounts_and_metadata import Around
from bridge.sandbox.altinn2.body import (
    Body,
    NotReadable,
    WrongType,
    read_body,
)
from bridge.sandbox.altinn2.model import (
    BadAttachment,
    BadUpdate,
    Element,
    Form,
    Invalid,
    LevelTooLow,
    NoSuchElement,
    NoSuchPart,
    NoSuchService,
    NotAllowed,
    State,
)
from bridge.sandbox.altinn2.pdf import pdf
from bridge.sandbox.altinn2.rules import megabytes
from bridge.sandbox.altinn2.views import View, finding_list
from bridge.sandbox.core.http_system import TooLarge, as_json, drain, plain, refuse


class Answers(Around):
    """Looks elements up for the handlers, and answers as Altinn 2 does where one cannot be had."""

    def _explained(self, request: Request, who: str, message_id: str) -> "_Explained":
        return _Explained(lambda error: self._explanation(request, who, message_id, error=error), request)

    def _explanation(self, request: Request, who: str, message_id: str, *, error: BaseException) -> Response | None:
        """Altinn 2's answer to *error*, None where it has none."""
        switches = self.world.switches
        match error:
            case NoSuchElement():
                return self._not_found(request, who, error, message_id=message_id)
            case NoSuchPart():
                return self.failure(404)
            case NoSuchService():
                return self.failure(int(switches.unknown_service_status), "The service was not found")
            case NotAllowed():
                return self.failure(int(switches.wrong_state_status), str(error))
            case LevelTooLow():
                return self.failure(int(switches.level_too_low_status))
            case BadAttachment():
                return self.failure(int(switches.attachment_refused_status), str(error))
            case BadUpdate() | NotReadable():
                return self.failure(400, str(error))
            case WrongType():
                return self._wrong_type()
            case TooLarge():
                return self.failure(413, "Maximum request length exceeded")
            case Invalid():
                return self._invalid(error)
            case _:
                return None

    def _not_found(self, request: Request, who: str, error: NoSuchElement, *, message_id: str) -> Response:
        if error.archived_id is None:
            return self.failure(404)
        match self.world.switches.archived_aid:
            case "redirect":
                rest = request.path[request.path.lower().index(message_id) + len(message_id) :]
                target = self._view(request, who).element_href(error.archived_id) + rest
                return plain(302, headers={**self.headers(), "Location": target})
            case "410":
                return self.failure(410)
            case _:
                return self.failure(404)

    def _wrong_type(self) -> Response:
        status = int(self.world.switches.wrong_type_status)
        return self.failure(status, "The content type of the request is not supported")

    def _invalid(self, error: Invalid) -> Response:
        entries, status = finding_list(error.errors), int(self.world.switches.validation_status)
        match self.world.switches.validation_body:
            case "empty":
                return plain(status, reason=str(error), headers=self.headers())
            case "array":
                body: Any = entries
            case _:
                warnings = finding_list(error.warnings)
                body = {"Success": False, "ValidationErrors": entries, "ValidationWarnings": warnings}
        return as_json(
            status, body, content_type="application/hal+json; charset=utf-8", reason=str(error), headers=self.headers()
        )

    def _body(self, request: Request) -> Body:
        switches = self.world.switches
        return read_body(request, switches.message_limit_mb * megabytes(switches))

    def _made(self, status: int, location: str | None, reason: str | None = None) -> Response:
        headers = self.headers() if location is None else {**self.headers(), "Location": location}
        return plain(status, reason=reason, headers=headers)

    def _seen(self, request: Request, who: str, message_id: str) -> Element:
        """An element that this session may see at all."""
        element = self.world.altinn2.read(self.act(request, who).names, message_id)
        caller = self.caller(request)
        if caller.enterprise and not element.service.enterprise_users:
            raise NoSuchElement
        if caller.level < element.service.security_level:
            raise LevelTooLow
        return element

    def _element(self, request: Request, who: str, message_id: str) -> Element:
        with self._explained(request, who, message_id):
            element = self._seen(request, who, message_id)
            if element.state is State.DELETED and self.world.switches.deleted_element == "404":
                raise NoSuchElement
            return element

    def _form(self, element: Element, form_id: int) -> Form:
        found = next((form for form in element.forms if form.id == form_id), None)
        return found if found is not None else refuse(self.failure(404))

    def _view(self, request: Request, who: str) -> View:
        return View(
            host=self.host,
            api=self.base,
            who=who,
            language=self.language(request, self.world.switches.default_language),
            switches=self.world.switches,
        )

    def _printed(self, element: Element, forms: list[Form]) -> Response:
        if self.world.switches.print_type == "html":
            page = f"<!DOCTYPE html><html lang=nb><title>{element.id}</title><p>{len(forms)}</html>"
            return plain(200, page, content_type="application/text-html", headers=self.headers())
        # Ids only: what a form holds is nobody's business in a file that people pass on.
        lines = [f"Element {element.id}", *(f"Form {form.id}" for form in forms)]
        length, pieces = pdf(lines, self.world.switches.print_mb * 1_000_000)
        answer = plain(200, content_type="application/pdf", headers=self.headers())
        answer.response = pieces
        if self.world.switches.print_length == "told":
            answer.content_length = length
        else:
            del answer.headers["Content-Length"]
        return answer


class _Explained:
    """Turns an exception raised within it into Altinn 2's answer; the request's body is read to its end first."""

    def __init__(self, explanation: Callable[[BaseException], Response | None], request: Request) -> None:
        self._explanation, self._request = explanation, request

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer, or let pass what is no answer."""
        answer = None if error is None else self._explanation(error)
        if answer is not None:
            drain(self._request)
            refuse(answer)
