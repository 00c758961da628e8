"""Everything that the facts leave open about the systems around us, as named choices in one place."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

Value = str | int | float | bool


def _choice(meaning: str, *allowed: Value) -> Any:
    """One of *allowed*; the first is the default."""
    return field(default=allowed[0], metadata={"meaning": meaning, "allowed": allowed})


def _number(meaning: str, default: float, *, low: float, high: float) -> Any:
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

    latency_ms: float = _number(
        "Time that every call takes before its effect, in milliseconds.", 0, low=0, high=600_000
    )

    # Altinn 2 (facts/altinn2.md 10 and 11)
    auth_failure: str = _choice("How Altinn 2 answers a call without a genuine token.", "403", "302_html", "200_html")
    altinn2_scope_check: bool = _flag(
        "Altinn 2 refuses tokens without altinn:instances.read, .write or altinn:enduser."
    )
    shutdown: str = _choice(
        "What is left of Altinn 2 after its closure.", "off", "410", "connection_refused", "html_landing"
    )
    altinn2_maintenance_seconds: float = _number(
        "Altinn 2 is down for maintenance, for so many seconds more; 0 is up.", 0, low=0, high=86_400
    )
    altinn2_maintenance_answer: str = _choice(
        "How it says so: with Retry-After, by a word in the reason phrase, or with a page.",
        *("retry_after", "phrase", "page"),
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
    validation_status: str = _choice(
        "Status for forms that break their schema or rules: 401 before 20.5.", "400", "401"
    )
    validate_drafts: bool = _flag("Forms are held against their schema when complete=false, too.", default=True)
    error_text: str = _choice(
        "Where Altinn 2 explains errors besides the reason phrase.", "reason_only", "reason_plus_errormodel"
    )
    washed_formdata: bool = _flag("formdata comes back without declaration and processing instructions.", default=True)
    put_forms: str = _choice(
        "What becomes of the last value of each form that is put: kept, dropped, overwritten, or the form broken off.",
        *("kept", "last_value_dropped", "last_value_overwritten", "broken_off"),
    )
    message_limit_mb: int = _number("Largest JSON body that Altinn 2 takes, in megabytes.", 50, low=1, high=2000)
    streamed_limit_mb: int = _number(
        "Largest streamed attachment of a type without a rule, in megabytes.", 30, low=1, high=2000
    )
    attachment_cap_mb: int = _number("Largest attachment whatever its rule says, in megabytes.", 500, low=1, high=2000)
    megabyte: str = _choice("What a megabyte is in Altinn 2's limits.", "decimal", "binary")
    attachment_count_check: str = _choice("When too many attachments of a type are refused.", "completion", "upload")
    attachment_refused_status: str = _choice("Status for an attachment that a rule refuses.", "400", "403", "415")
    attachment_scan: str = _choice("What a scan for viruses does to an attachment that was taken.", "passes", "removes")
    level_too_low_status: str = _choice("Status for a login below the level of a service.", "401", "403")
    file_name_limit: int = _number("Longest file name of an attachment, in characters.", 255, low=1, high=100_000)
    file_size_unknown: bool = _flag("The filesize of attachments is -1.")
    post_created_status: str = _choice("Status of a successful POST.", "201", "200", "204")
    empty_post: str = _choice(
        "What a POST without forms does: a prefilled form, or the fault before 20.4.", "prefill", "500"
    )
    unknown_service_status: str = _choice("Status for a POST to an unknown service.", "404", "400")
    location_on_form_put: bool = _flag("A PUT of a form answers with Location.")
    delete_for_good: bool = _flag("DELETE leaves nothing in the trash bin.")
    drop_connection_after_commit: bool = _flag("Writes are committed, then the connection is cut without an answer.")
    lock: str = _choice("What a write to an element does while another one is under way.", "none", "409")
    signingtext_shape: str = _choice("How signingtext comes: as a JSON object, text or HTML.", "json", "text", "html")
    print_type: str = _choice("What print gives.", "pdf", "html")
    print_mb: int = _number("How many megabytes a print in PDF has beside what is written on it.", 0, low=0, high=2000)
    print_length: str = _choice("How the end of a print is told: by its length, or by a last chunk.", "told", "chunked")
    limit_reached_after: int = _number(
        "Altinn 2 cuts lists after so many elements; 0 is never.", 0, low=0, high=1_000_000
    )
    limit_reached_value: str = _choice("Value of X-Warning-LimitReached.", "true", "1", "The limit has been reached")
    date_format: str = _choice(
        "Dates without zone and up to 3 fraction digits, or with offset and 7 digits.", "local", "offset"
    )
    available_action: str = _choice("AvailableAction by place in SOAP's list, or left out.", "numbered", "absent")
    reason_language: str = _choice("Language of the reason phrases that no source prints.", "en", "nb")
    metadata_xsd_spelling: str = _choice(
        "How metadata spells the member for schemas of attachments.",
        "IsXsdValidationRequired",
        "IsXSDValidationRequired",
    )
    process_step_names: str = _choice("Names of ProcessSteps in metadata.", "english", "norwegian")
    reportee_types: str = _choice("Type of a reportee that is an organisation.", "Foretak", "Enterprise", "Business")
    reportee_numbers: str = _choice("National identity numbers in lists of reportees.", "whole", "masked")
    user_profile: str = _choice("Whether the user has ever been in the portal.", "exists", "missing")
    cookie_name: str = _choice("Name of the login cookie.", "AspxAuthTT02", "ASPXAUTH", "AspxAuthProd", "AspxAuthCloud")
    cookie_minutes: int = _number("How long a login lasts, in minutes.", 30, low=1, high=1440)
    cookie_renewal: str = _choice(
        "What an answer that renews the cookie is: as ever, or 200 without a body and without effect.",
        "normal",
        "empty_200_bug",
    )
    cookie_and_token: str = _choice(
        "What a call with both a login cookie and a token gets.", "refused", "token", "cookie"
    )
    login_failed_status: str = _choice("Status of a failed login.", "401", "403", "400")
    enterprise_user_exchange: str = _choice("What the token exchange says to enterprise users.", "410", "works")
    load_balancer_cookie: bool = _flag("Answers carry the cookie of a load balancer.", default=True)

    # Dialogporten (facts/dialogporten.md 10 and 12)
    allow_http_loopback: bool = _flag("Action URLs may be http on 127.0.0.1 and localhost.", default=True)
    dialogporten_behind: str = _choice(
        "The systems behind Dialogporten (rights, names): without them users get 502, and who names a person.",
        *("there", "away"),
    )
    dialogporten_save_ms: float = _number(
        "Time between the look and the save of a write, in milliseconds: of those that meet in it one gets through.",
        10,
        low=0,
        high=60_000,
    )
    name_lookup_fails: bool = _flag("No name is found for any actorId: 422.")
    dialog_token_key: str = _choice(
        "The key that signs dialog tokens: a published one, a new published one, or one that no JWKS has.",
        "first",
        "second",
        "rotated",
        "unpublished",
    )
    dialog_token_claim_e: bool = _flag("Dialog tokens carry the newer claim e.")
    dialogporten_maintenance_seconds: float = _number(
        "Dialogporten is down for maintenance, for so many seconds more; 0 is up.", 0, low=0, high=86_400
    )
    search_too_broad: bool = _flag("A free text search without contentUpdatedAfter is too broad: 422.")
    sse_keep_alive_seconds: float = _number(
        "Time between comment lines on an idle stream, in seconds.", 15, low=0.01, high=600
    )

    # Maskinporten and the platform (facts/altinn3-and-tokens.md 4)
    maskinporten_lifetime: int = _number("expires_in of access tokens, in seconds.", 119, low=1, high=3600)
    invalid_client_status: str = _choice("Status for an unknown client.", "401", "400")
    maskinporten_audience: str = _choice(
        "Whose assertions Maskinporten takes besides its own: those for a real one, as libraries have built in.",
        *("own", "test", "production", "ver1", "ver2"),
    )
    maskinporten_unknown_claims: str = _choice("What a claim that nobody knows does.", "accepted", "refused")
    maskinporten_old_iat: str = _choice(
        "What an iat more than 10 s ago does while exp lies ahead.", "accepted", "refused"
    )
    exchange_401_body: str = _choice("Body of a refused token exchange.", "empty", "problem")

    # Altinn 3 apps (facts/altinn3-and-tokens.md 1)
    app_keys: str = _choice(
        "Whether apps reach the platform's keys: without them every call with a token is an empty 500.",
        "reachable",
        "unreachable",
    )
    app_verbs: str = _choice("GET creates and POST calculates, or POST and PUT as before 4.7.", "get_post", "post_put")

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.metadata, whole=each.type is int)

    def changed(self, **changes: Value) -> "Switches":
        """
        These switches with *changes*.

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
    The name and the value of ``name=value`` as a command line has it, the value by the switch's type.

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


def _check(name: str, value: object, metadata: Any, *, whole: bool) -> None:
    if "allowed" in metadata:
        if not any(value is each or (type(value) is type(each) and value == each) for each in metadata["allowed"]):
            raise UnknownSwitch(f"{name} takes one of {', '.join(map(str, metadata['allowed']))}.")
        return
    low, high = metadata["range"]
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise UnknownSwitch(f"{name} takes a {'whole ' if whole else ''}number from {low} to {high}.")
