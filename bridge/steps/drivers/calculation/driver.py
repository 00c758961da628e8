"""``target: altinn3``: the form goes to the app, its results into the dialog, and nothing into the case."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.adapters.apps.metadata import AppMetadataClient, uses
from bridge.config.mapping_keys import ActionKeys, Altinn3ActionKeys
from bridge.config.mapping_parts import Parts
from bridge.config.yaml_source import Place
from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.elements import Form
from bridge.core.mapping import ActionMapping, FormKind, FormSource, ServiceMapping
from bridge.core.operations import Outcome
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.calculation.mapping_faults import mapping_faults
from bridge.steps.drivers.calculation.online import check_apps
from bridge.steps.drivers.protocol import Cases, Online, OnlineReport
from bridge.steps.forms.build import check_forms, wanted_forms


@dataclass(frozen=True, slots=True)
class Calculation:
    """The app that calculates and checks a form; *cases_of* a case give the form where the caller sends none."""

    cases_of: Callable[[CaseRef], Cases]

    @property
    def keys(self) -> type[ActionKeys]:
        """Those of an action that stores nothing."""
        return Altinn3ActionKeys

    def check_mapping(self, said: Parts) -> Iterator[tuple[Place, str]]:
        """What the file says of its app, and of what that is to do."""
        return mapping_faults(said)

    def check_online(self, mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
        """What the apps say of themselves, those that routes lead to among them; each is asked once."""
        client = AppMetadataClient(online.session, online.settings.altinn3_apps_url)
        return check_apps(uses(mappings, online.routes), client, online.schemas)

    def level_missing(
        self,
        _bridge: Bridge,
        _mapping: ServiceMapping,
        _action: ActionMapping,
        *,
        level: int,  # noqa: ARG002 - named as in the protocol
    ) -> Problem | None:
        """Always None: an app that stores nothing asks for no level beyond the mapping's."""
        return None

    def deliver(self, delivery: Delivery) -> datetime | None:
        """
        Have the form calculated and checked. Always None: it has ended.

        Raises:
            UpstreamError: The app, or what holds the case, could not be asked; nothing was done.
        """
        try:
            # Of what a case holds beside the main form, nothing is calculated.
            held = (self._main_form(delivery),)
            check_forms(delivery, wanted_forms(delivery, held), held=held)
        except Refusal as refusal:
            delivery.ended(Outcome.REFUSED, problem=refusal.problem, state=None)
        else:
            delivery.ended(Outcome.DONE, state=CaseStatus.CALCULATED.value)
        return None

    def _main_form(self, delivery: Delivery) -> Form:
        """The main form: the case's, or an empty one in whose place the caller's comes. Raises Refusal."""
        if delivery.action.form is FormSource.BODY:
            _refuse_more_than_a_form(delivery)
            spec = next(spec for spec in delivery.mapping.forms if spec.kind is FormKind.MAIN)
            return Form(
                kind=spec.kind,
                data_format_id=spec.data_format_id,
                data_format_version=spec.data_format_version,
                data="",
            )
        if (case := delivery.operation.case) is None:
            # The mapping asked for no element when it was accepted.
            raise Refusal("not_linked", 404)
        main = next((form for form in self.cases_of(case).held_forms(delivery) if form.kind is FormKind.MAIN), None)
        if main is None:
            raise Refusal("element_wrong_state", 409)
        return main


def _refuse_more_than_a_form(delivery: Delivery) -> None:
    sent = delivery.sent()
    if sent.attachments:
        raise Refusal("attachments_not_taken", 422)
    if sent.removed or any(form.kind is not FormKind.MAIN for form in sent.forms):
        raise Refusal("message_invalid", 400, facts={"where": "forms: only the MainForm"})
