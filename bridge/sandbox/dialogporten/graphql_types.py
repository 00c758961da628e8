"""The types of Dialogporten's GraphQL, as a table, and the schema that is made of them (facts 4.2)."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLSchema,
    build_schema,
    is_list_type,
    is_non_null_type,
)
from graphql.error import GraphQLError
from graphql.language import StringValueNode, ValueNode

ENUMS: Mapping[str, str] = {
    "ActivityType": "DIALOG_CREATED DIALOG_CLOSED INFORMATION TRANSMISSION_OPENED PAYMENT_MADE SIGNATURE_PROVIDED"
    " DIALOG_OPENED DIALOG_DELETED DIALOG_RESTORED SENT_TO_SIGNING SENT_TO_FORM_FILL SENT_TO_SEND_IN SENT_TO_PAYMENT"
    " FORM_SUBMITTED FORM_SAVED CORRESPONDENCE_OPENED CORRESPONDENCE_CONFIRMED",
    "ActorType": "PARTY_REPRESENTATIVE SERVICE_OWNER",
    "AttachmentUrlConsumer": "GUI API",
    "DialogEventType": "DIALOG_UPDATED DIALOG_DELETED",
    "DialogLookupGrantType": "ROLE ACCESS_PACKAGE RESOURCE_DELEGATION INSTANCE_DELEGATION",
    "DialogStatus": "IN_PROGRESS DRAFT AWAITING REQUIRES_ATTENTION COMPLETED NOT_APPLICABLE",
    "GuiActionPriority": "PRIMARY SECONDARY TERTIARY",
    "HttpVerb": "GET POST PUT PATCH DELETE HEAD OPTIONS TRACE CONNECT",
    "OrderDirection": "ASC DESC",
    "SystemLabel": "DEFAULT BIN ARCHIVE MARKED_AS_UNOPENED SENT",
    "TransmissionType": "INFORMATION ACCEPTANCE REJECTION REQUEST ALERT DECISION SUBMISSION CORRECTION",
}
_ORDERS = "createdAt:OrderDirection updatedAt:OrderDirection dueAt:OrderDirection contentUpdatedAt:OrderDirection"
_PARTY = (
    "party:String! partyUuid:UUID! partyId:Int! name:String! dateOfBirth:String partyType:String! isDeleted:Boolean!"
    " hasKeyRole:Boolean! isCurrentEndUser:Boolean! isMainAdministrator:Boolean! isAccessManager:Boolean!"
)
_NAMED = "name:[Localization!]!"
_LINKED = f"urn:String! {_NAMED} links:ServiceResourceMetadataLinks!"
_SERVICE_OWNER = f"orgNumber:String! code:String! {_NAMED}"
_MOST = "maxPartyFilterValues:Int! maxServiceResourceFilterValues:Int! maxExtendedStatusFilterValues:Int!"
_OF_BOTH = (
    "id:UUID! org:String! serviceResource:String! serviceResourceType:String! party:String! progress:Int"
    " process:String precedingProcess:String extendedStatus:String externalReference:String createdAt:DateTime!"
    " updatedAt:DateTime! contentUpdatedAt:DateTime! dueAt:DateTime status:DialogStatus! hasUnopenedContent:Boolean!"
    " isApiOnly:Boolean! fromServiceOwnerTransmissionsCount:Int! fromPartyTransmissionsCount:Int!"
    " seenSinceLastUpdate:[SeenLog!]! seenSinceLastContentUpdate:[SeenLog!]! isContentSeen:Boolean!"
    " endUserContext:EndUserContext!"
)
_TITLES = "title:ContentValue! summary:ContentValue"
_PAYLOAD = "success:Boolean!"

OBJECTS: Mapping[str, str] = {
    "Queries": "dialogLookup(instanceRef:String!):DialogLookupPayload! dialogById(dialogId:UUID!):DialogByIdPayload!"
    " searchDialogs(input:SearchDialogInput!):SearchDialogsPayload! limits:Limits! parties:[AuthorizedParty!]!"
    " serviceResources(parties:[String!],includeUnauthorized:Boolean!=false):ServiceResourceMetadata!",
    "Mutations": "setSystemLabel(input:SetSystemLabelInput!):SetSystemLabelPayload!"
    " bulkSetSystemLabels(input:BulkSetSystemLabelInput!):BulkSetSystemLabelPayload!",
    "Subscriptions": "dialogEvents(dialogId:UUID!):DialogEventPayload!",
    "DialogEventPayload": "id:UUID! type:DialogEventType!",
    "Limits": "endUserSearch:EndUserSearchLimits! serviceOwnerSearch:ServiceOwnerSearchLimits!",
    "EndUserSearchLimits": f"{_MOST} maxOrgFilterValues:Int!",
    "ServiceOwnerSearchLimits": _MOST,
    "AuthorizedParty": f"{_PARTY} hasOnlyAccessToSubParties:Boolean! subParties:[AuthorizedSubParty!]",
    "AuthorizedSubParty": _PARTY,
    "SearchDialogsPayload": "items:[SearchDialog!] hasNextPage:Boolean! continuationToken:String"
    " orderBy:[SearchDialogSortType!]! errors:[SearchDialogError!]!",
    "SearchDialogSortType": _ORDERS,
    "SearchDialog": f"{_OF_BOTH} guiAttachmentCount:Int latestActivity:Activity content:SearchContent!",
    "SearchContent": f"{_TITLES} senderName:ContentValue extendedStatus:ContentValue",
    "DialogByIdPayload": "dialog:Dialog errors:[DialogByIdError!]!",
    "Dialog": f"{_OF_BOTH} revision:UUID! expiresAt:DateTime dialogToken:String content:Content!"
    " attachments:[Attachment!]! guiActions:[GuiAction!]! apiActions:[ApiAction!]! activities:[Activity!]!"
    " transmissions:[Transmission!]!",
    "Content": f"{_TITLES} senderName:ContentValue additionalInfo:ContentValue extendedStatus:ContentValue"
    " mainContentReference:ContentValue",
    "ContentValue": "value:[Localization!]! mediaType:String! isAuthorized:Boolean",
    "Localization": "value:String! languageCode:String!",
    "Attachment": "id:UUID! displayName:[Localization!]! name:String urls:[AttachmentUrl!]! expiresAt:DateTime",
    "AttachmentUrl": "id:UUID! url:URL! mediaType:String consumerType:AttachmentUrlConsumer!",
    "GuiAction": "id:UUID! action:String! url:URL! authorizationAttribute:String isAuthorized:Boolean!"
    " isDeleteDialogAction:Boolean! priority:GuiActionPriority! httpMethod:HttpVerb! title:[Localization!]!"
    " prompt:[Localization!]",
    "ApiAction": "id:UUID! action:String! authorizationAttribute:String isAuthorized:Boolean! name:String"
    " endpoints:[ApiActionEndpoint!]!",
    "ApiActionEndpoint": "id:UUID! version:String url:URL! httpMethod:HttpVerb! documentationUrl:URL requestSchema:URL"
    " responseSchema:URL deprecated:Boolean! sunsetAt:DateTime",
    "Activity": "id:UUID! createdAt:DateTime extendedType:URL type:ActivityType! transmissionId:UUID"
    " performedBy:Actor! description:[Localization!]!",
    "Actor": "actorType:ActorType actorId:String actorName:String",
    "SeenLog": "id:UUID! seenAt:DateTime! seenBy:Actor! isViaServiceOwner:Boolean isCurrentEndUser:Boolean!",
    "EndUserContext": "revision:UUID! systemLabels:[SystemLabel!]!",
    "Transmission": "id:UUID! createdAt:DateTime! authorizationAttribute:String isAuthorized:Boolean! extendedType:URL"
    " externalReference:String relatedTransmissionId:UUID type:TransmissionType! sender:Actor! isOpened:Boolean!"
    " content:TransmissionContent! attachments:[Attachment!]! navigationalActions:[TransmissionNavigationalAction!]!",
    "TransmissionContent": f"{_TITLES} contentReference:ContentValue",
    "TransmissionNavigationalAction": "title:[Localization!]! url:URL! expiresAt:DateTime",
    "DialogLookupPayload": "lookup:DialogLookup errors:[DialogLookupError!]!",
    "DialogLookup": "dialogId:UUID! instanceRef:String! party:String! title:[Localization!]!"
    " serviceResource:DialogLookupServiceResource! serviceOwner:DialogLookupServiceOwner!"
    " authorizationEvidence:DialogLookupAuthorizationEvidence!",
    "DialogLookupAuthorizationEvidence": "currentAuthenticationLevel:Int! viaRole:Boolean! viaAccessPackage:Boolean!"
    " viaResourceDelegation:Boolean! viaInstanceDelegation:Boolean! evidence:[DialogLookupAuthorizationEvidenceItem!]!",
    "DialogLookupAuthorizationEvidenceItem": f"grantType:DialogLookupGrantType! subject:String! {_NAMED}"
    " links:DialogLookupLinks",
    "DialogLookupLinks": "metadata:String!",
    "DialogLookupServiceOwner": _SERVICE_OWNER,
    "DialogLookupServiceResource": f"id:String! isDelegable:Boolean! minimumAuthenticationLevel:Int! {_NAMED}",
    "ServiceResourceMetadata": "isFullCatalogueFallback:Boolean items:[ServiceResourceMetadataItem!]!",
    "ServiceResourceMetadataItem": "serviceResource:ServiceResourceMetadataServiceResource!"
    " roles:[ServiceResourceMetadataRole!]! accessPackages:[ServiceResourceMetadataAccessPackage!]!"
    " serviceOwner:ServiceResourceMetadataServiceOwner!",
    "ServiceResourceMetadataServiceResource": f"id:String! resourceType:String! status:String! isDelegable:Boolean!"
    f" minimumAuthenticationLevel:Int! {_NAMED} links:ServiceResourceMetadataLinks!",
    "ServiceResourceMetadataServiceOwner": _SERVICE_OWNER,
    "ServiceResourceMetadataRole": _LINKED,
    "ServiceResourceMetadataAccessPackage": _LINKED,
    "ServiceResourceMetadataLinks": "metadata:String!",
    "SetSystemLabelPayload": f"{_PAYLOAD} errors:[SetSystemLabelError!]!",
    "BulkSetSystemLabelPayload": f"{_PAYLOAD} errors:[BulkSetSystemLabelError!]!",
}
ERRORS: Mapping[str, str] = {
    "DialogLookup": "Forbidden NotFound ValidationError",
    "DialogById": "NotFound Deleted Forbidden ForbiddenAuthLevelTooLow NotVisible(visibleFrom:DateTime!)"
    " Expired(expiredAt:DateTime!)",
    "SearchDialog": "ValidationError ContinuationTokenParsingError OrderByParsingError DomainError Forbidden",
    "SetSystemLabel": "ValidationError EntityNotFound EntityDeleted Forbidden ConcurrencyError ConflictError"
    " DomainError",
    "BulkSetSystemLabel": "ValidationError NotFound ConcurrencyError ConflictError DomainError",
}
"""Errors in a payload: an interface for each, and what implements it, with members beside ``message``."""
INPUTS: Mapping[str, str] = {
    "SearchDialogInput": "org:[String!] serviceResource:[String!] party:[String!] extendedStatus:[String!]"
    " externalReference:String status:[DialogStatus!] process:String systemLabel:[SystemLabel!] excludeApiOnly:Boolean"
    " createdAfter:DateTime createdBefore:DateTime contentUpdatedAfter:DateTime contentUpdatedBefore:DateTime"
    " isContentSeen:Boolean updatedAfter:DateTime updatedBefore:DateTime dueAfter:DateTime dueBefore:DateTime"
    " search:String searchLanguageCode:String limit:Int continuationToken:String orderBy:[SearchDialogSortTypeInput!]",
    "SearchDialogSortTypeInput": _ORDERS,
    "SetSystemLabelInput": "dialogId:UUID! addLabels:[SystemLabel!]! removeLabels:[SystemLabel!]!",
    "BulkSetSystemLabelInput": "dialogs:[DialogRevisionInput!]! addLabels:[SystemLabel!]! removeLabels:[SystemLabel!]!",
    "DialogRevisionInput": "dialogId:UUID! enduserContextRevision:UUID",
}
SCALARS: Mapping[str, str] = {
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?([Zz]|[+-]\d\d:\d\d)",
    "URL": r"\S+",
    "UUID": r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}


@functools.cache
def schema() -> GraphQLSchema:
    """Make the schema; enums stand for the words that the REST API has for them."""
    made = build_schema("\n".join(_definitions()))
    for name in ENUMS:
        _spell_as_rest(made.type_map[name], keep=name in ("HttpVerb", "DialogEventType"))
    for name, pattern in SCALARS.items():
        _hold_to(made.type_map[name], re.compile(pattern))
    for name in OBJECTS.keys() - {"Queries", "Mutations", "Subscriptions"}:
        for field, told in made.type_map[name].fields.items():  # type: ignore[attr-defined]
            if is_non_null_type(told.type) and is_list_type(told.type.of_type):
                _empty_where_absent(field, told)
    return made


def _definitions() -> Iterator[str]:
    yield "schema { query: Queries mutation: Mutations subscription: Subscriptions }"
    for name in SCALARS:
        yield f'scalar {name} @specifiedBy(url: "https://scalars.graphql.org/chillicream/{_dashed(name)}.html")'
    for name, words in ENUMS.items():
        yield f"enum {name} {{ {words} }}"
    for name, fields in OBJECTS.items():
        yield f"type {name} {{ {fields} }}"
    for name, fields in INPUTS.items():
        yield f"input {name} {{ {fields} }}"
    for name, kinds in ERRORS.items():
        yield f"interface {name}Error {{ message: String! }}"
        for kind, more in re.findall(r"(\w+)(?:\(([^)]*)\))?", kinds):
            yield f"type {name}{kind} implements {name}Error {{ message: String! {more} }}"


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _spell_as_rest(enum: Any, *, keep: bool) -> None:
    for name, value in enum.values.items():
        value.value = name if keep else "".join(part.capitalize() for part in name.split("_"))


def _hold_to(scalar: Any, pattern: re.Pattern[str]) -> None:
    def value(given: Any) -> str:
        if not isinstance(given, str) or pattern.fullmatch(given) is None:
            raise GraphQLError(f"{scalar.name} cannot parse the given value.")
        return given

    def literal(node: ValueNode, _: Any = None) -> str:
        return value(node.value if isinstance(node, StringValueNode) else None)

    scalar.parse_value, scalar.parse_literal = value, literal


def _empty_where_absent(name: str, field: GraphQLField) -> None:
    # The views leave out what is empty, as REST does.
    field.resolve = lambda source, _: source.get(name) or []
