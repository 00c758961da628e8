"""Everything that the facts leave open about the systems around us, as named choices in one place."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

Value = str | int | float | bool


def _choice(meaning: str, *allowed: Value) -> Any:
    """One of *allowed*; the first is the default."""
    return field(default=allowed[0], metadata={"meaning": meaning, "allowed": allowed})


def _number(meaning: str, default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"meaning": meaning, "range": (low, high)})


def _flag(meaning: str, *, default: bool = False) -> Any:
    return field(default=default, metadata={"meaning": meaning, "allowed": (default, not default)})


class UnknownSwitch(ValueError):
    """No switch has this name, or the switch does not take this value; the message names what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """
    How the sandbox behaves where the real systems are not known, or could be in several states.

    Raises:
        UnknownSwitch: A value is not among those allowed.
    """

    latency_ms: float = _number("Time that every call takes before its effect, in milliseconds.", 0, 0, 600_000)

    # Altinn 2 (facts/altinn2.md 10 and 11)
    auth_failure: str = _choice("How Altinn 2 answers a call without a genuine token.", "403", "302_html", "200_html")
    altinn2_scope_check: bool = _flag(
        "Altinn 2 refuses tokens without altinn:instances.read, .write or altinn:enduser."
    )
    shutdown: str = _choice(
        "What is left of Altinn 2 after its closure.", "off", "410", "connection_refused", "html_landing"
    )
    default_language: str = _choice("The user's preset language: texts without ?language=.", "1044", "1033", "2068")
    put_status: str = _choice("Status of a successful PUT of a message.", "204", "200")
    location_on_active_put: bool = _flag("A PUT that does not archive answers with Location, too.", default=True)
    bare_put_in_formfilling: str = _choice(
        "What a PUT without forms does to an element in form filling.", "complete", "reject", "wipe"
    )
    form_ids_after_put: str = _choice("Ids of forms and attachments that a PUT replaced.", "new", "kept")
    archived_aid: str = _choice("What the a-id answers once the element is archived.", "404", "redirect", "410")
    noarchive_service: bool = _flag("No service keeps a copy in the user's archive: no Location after archiving.")
    archived_delete: str = _choice("What DELETE does to an archived element.", "error", "delete")
    deleted_element: str = _choice("What GET answers for an element in the trash bin.", "404", "200")
    wrong_state_status: str = _choice("Status for an update that the element's state forbids.", "400", "403", "409")
    wrong_type_status: str = _choice("Status for a body that is not hal+json or json.", "400", "415")
    validation_body: str = _choice(
        "Body of the 400 for forms that break their schema.", "validate_shape", "array", "empty"
    )
    validate_drafts: bool = _flag("Forms are held against their schema when complete=false, too.", default=True)
    error_text: str = _choice(
        "Where Altinn 2 explains errors besides the reason phrase.", "reason_only", "reason_plus_errormodel"
    )
    washed_formdata: bool = _flag("formdata comes back without declaration and processing instructions.", default=True)
    message_limit_mb: int = _number("Largest JSON body that Altinn 2 takes, in megabytes.", 50, 1, 2000)
    limit_reached_after: int = _number("Altinn 2 cuts lists after so many elements; 0 is never.", 0, 0, 1_000_000)

    # Dialogporten (facts/dialogporten.md 10 and 12)
    allow_http_loopback: bool = _flag("Action URLs may be http on 127.0.0.1 and localhost.", default=True)
    name_lookup_fails: bool = _flag("No name is found for any actorId: 422.")
    dialog_token_key: str = _choice(
        "The key that signs dialog tokens: a published one, a new published one, or one that no JWKS has.",
        "first",
        "second",
        "rotated",
        "unpublished",
    )
    dialog_token_claim_e: bool = _flag("Dialog tokens carry the newer claim e.")
    sse_keep_alive_seconds: float = _number("Time between comment lines on an idle stream, in seconds.", 15, 0.01, 600)

    # Maskinporten and the platform (facts/altinn3-and-tokens.md 4)
    maskinporten_lifetime: int = _number("expires_in of access tokens, in seconds.", 119, 1, 3600)
    invalid_client_status: str = _choice("Status for an unknown client.", "401", "400")
    maskinporten_unknown_claims: str = _choice("What a claim that nobody knows does.", "accepted", "refused")
    maskinporten_old_iat: str = _choice(
        "What an iat more than 10 s ago does while exp lies ahead.", "accepted", "refused"
    )
    exchange_401_body: str = _choice("Body of a refused token exchange.", "empty", "problem")

    # Altinn 3 apps (facts/altinn3-and-tokens.md 1)
    app_verbs: str = _choice("GET creates and POST calculates, or POST and PUT as before 4.7.", "get_post", "post_put")

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.metadata)

    def changed(self, **changes: Value) -> "Switches":
        """
        Say how it is with *changes*.

        Raises:
            UnknownSwitch: No such switch or value.
        """
        unknown = sorted(set(changes) - {each.name for each in fields(self)})
        if unknown:
            raise UnknownSwitch(f"There is no switch named {', '.join(unknown)}.")
        return replace(self, **changes)  # type: ignore[arg-type]

    def described(self) -> list[dict[str, Any]]:
        """List every switch: name, value, default, meaning, and what it takes."""
        return [
            {
                "name": each.name,
                "value": getattr(self, each.name),
                "default": each.default,
                **{key: list(value) if isinstance(value, tuple) else value for key, value in each.metadata.items()},
            }
            for each in fields(self)
        ]


def parsed(assignment: str) -> tuple[str, Value]:
    """
    Read ``name=value`` as a command line has it, the value by the switch's type.

    Raises:
        UnknownSwitch: No such switch, or not of its type.
    """
    name, _, text = assignment.partition("=")
    defaults = {each.name: each.default for each in fields(Switches)}
    if name not in defaults:
        raise UnknownSwitch(f"There is no switch named {name}.")
    match defaults[name]:
        case bool():
            if text not in ("true", "false"):
                raise UnknownSwitch(f"{name} takes true or false.")
            return name, text == "true"
        case int() | float():
            try:
                return name, float(text) if "." in text else int(text)
            except ValueError:
                raise UnknownSwitch(f"{name} takes a number.") from None
        case _:
            return name, text


def _check(name: str, value: object, metadata: Any) -> None:
    if "allowed" in metadata:
        if not any(value is each or (type(value) is type(each) and value == each) for each in metadata["allowed"]):
            raise UnknownSwitch(f"{name} takes one of {', '.join(map(str, metadata['allowed']))}.")
        return
    low, high = metadata["range"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UnknownSwitch(f"{name} takes a number from {low} to {high}.")
