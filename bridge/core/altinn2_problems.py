"""What the sender is told when Altinn 2 refuses (facts/altinn2.md 5)."""

from collections.abc import Mapping

from bridge.core.problems import Problem

PROBLEMS: Mapping[str, Problem] = {
    "form_invalid": Problem(code="form_refused", status=422),
    "form_set": Problem(code="form_set_refused", status=422),
    "no_profile": Problem(code="profile_missing", status=409),
    "payment": Problem(code="payment_needed", status=409),
    "others_sign": Problem(code="others_must_sign", status=409),
    # To Altinn 2 the bridge is one user, whoever presses.
    "already_signed": Problem(code="sign_in_altinn", status=409),
    "already_archived": Problem(code="element_wrong_state", status=409),
    "attachment_refused": Problem(code="attachment_refused", status=422),
    "level_too_low": Problem(code="altinn_level_too_low", status=403),
    "forbidden": Problem(code="not_allowed_in_altinn", status=403),
    "gone": Problem(code="upstream_gone", status=410),
    "not_found": Problem(code="element_gone", status=410),
}
"""By the reason of a refused call; any other reason is ``upstream_refused``."""


def problem_for(reason: str) -> Problem:
    """What the sender is told of a call that was refused for *reason*."""
    return PROBLEMS.get(reason, Problem(code="upstream_refused", status=502))
