"""Who has signed an element: nobody's signature is given twice, and nobody's is taken for another's."""

import structlog

from bridge.core.cases import CaseStatus
from bridge.core.decision import Refuse, Send, Took
from bridge.core.elements import Element
from bridge.core.operations import Outcome
from bridge.core.signing import MaySign, Signer, has_signed, may_sign
from bridge.steps.delivery import Delivery

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def has_signed_it(delivery: Delivery) -> bool:
    """Whether who pressed has signed the element, which is archived; where nobody signs, everybody has."""
    bridge, service = delivery.bridge, delivery.mapping.altinn2
    if not delivery.action.signs or service is None:
        return True
    known = bridge.services.find(service.service_code, service.service_edition)
    if known is not None and known.steps and not known.signing_steps:
        return True
    with bridge.store.reading() as tx:
        earlier = tx.signatures(delivery.operation)
    return has_signed(_signer(delivery), earlier, service=service)


def by_signatures(delivery: Delivery, element: Element, decision: Send | Refuse) -> Send | Refuse | Took:
    """The *decision*, or another one where it signs and whoever pressed, or somebody else, has signed before."""
    bridge, service = delivery.bridge, delivery.mapping.altinn2
    if not delivery.action.signs or service is None or delivery.operation.sending_at is not None:
        return decision
    with bridge.store.reading() as tx:
        earlier = tx.signatures(delivery.operation)
    if earlier and element.state is CaseStatus.FORM_FILLING:
        # It was taken back: what they signed is not what will be sent, and does not count in what follows either.
        with bridge.store.transaction() as tx:
            tx.forget_signers(delivery.operation.required_case)
    known = bridge.services.find(service.service_code, service.service_edition)
    steps = None if known is None else known.signing_steps
    match may_sign(_signer(delivery), earlier, service=service, element=element, steps=steps):
        case MaySign.REPEATED:
            return Took(Outcome.REPEATED, element.state, None)
        case MaySign.ELSEWHERE if isinstance(decision, Send):
            log.warning(
                "a signature was not given: the service takes more of them than its mapping says, or others went on",
                signing_steps=steps,
                said=service.signing_steps,
                given=sum(each.given for each in earlier),
            )
            return Refuse("sign_in_altinn", 409)
        case _:
            return decision


def _signer(delivery: Delivery) -> Signer:
    return Signer(digest=delivery.operation.signer, actor=delivery.operation.actor)
