"""What lies around Altinn 2's messages: logins, metadata, reportees, profiles, rights (facts/altinn2.md 4, 6)."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.base import HAL, HEADERS, Caller
from bridge.sandbox.altinn2.body import NotReadable, WrongType, read_body
from bridge.sandbox.altinn2.lookups import NEIGHBOURS, NO_ORGANISATION, Neighbours
from bridge.sandbox.altinn2.metadata import Metadata, in_force
from bridge.sandbox.altinn2.model import CORRESPONDENCE, FORM_TASK, Service
from bridge.sandbox.altinn2.odata import BadQuery, read_query
from bridge.sandbox.altinn2.people import ACTIONS, ORGANISATION, LockedOut, Party, WrongPassword
from bridge.sandbox.altinn2.views import local
from bridge.sandbox.core.http_system import TooLarge, as_json, plain, refuse

AROUND: tuple[tuple[str, str, str], ...] = (
    *NEIGHBOURS,
    ("POST", "/authentication/authenticatewithpassword", "log_in"),
    ("GET", "/metadata", "list_metadata"),
    ("GET", "/metadata/formtask/<code>/<int:edition>", "get_form_task"),
    ("GET", "/metadata/correspondence/<code>/<int:edition>", "get_correspondence"),
    ("GET", "/metadata/formtask/<code>/<int:edition>/forms/<format_id>/<version>/xsd", "get_form_schema"),
    ("GET", "/metadata/formtask/<code>/<int:edition>/attachmentrules/<int:rule_id>/xsd", "get_rule_schema"),
    ("GET", "/metadata/rolerequirements", "get_role_requirements"),
    ("GET", "/enterpriseusers", "list_enterprise_users"),
    ("GET", "/reportees", "list_reportees"),
    ("GET", "/reportees/<reportee_id>", "get_reportee"),
    ("POST", "/reportees/reporteeconversion", "convert_reportee"),
    ("GET", "/<who>/profile", "get_profile"),
    ("GET", "/<who>/authorization/rights", "list_rights"),
)
_SERVICE_TYPE = "Altinn.SBL.AltinnWebAPI.Models.ServiceMetaData"
_SERVICE_PROPERTIES: Mapping[str, type] = {
    "ServiceOwnerCode": str,
    "ServiceOwnerName": str,
    "ServiceName": str,
    "ServiceCode": str,
    "ServiceEditionName": str,
    "ServiceEditionCode": int,
    "ServiceType": str,
    "EnterpriseUserEnabled": bool,
}
_RIGHTS: Mapping[str, type] = {
    "RightID": int,
    "RightType": str,
    "ServiceCode": str,
    "ServiceEditionCode": int,
    "Action": str,
    "RightSourceType": str,
    "IsDelegatable": bool,
}


class Around(Neighbours):
    """The resources beside the messages."""

    def log_in(self, request: Request) -> Response:
        """A cookie for a user name and a password."""
        switches, people, now = self.world.switches, self.world.altinn2.people, self.world.clock()
        try:
            given = read_body(request, 100_000).value
            name, password = given["UserName"], given["UserPassword"]
        except (NotReadable, WrongType, TooLarge, KeyError, TypeError):
            self.refuse(request, self.failure(400, "UserName and UserPassword are missing"))
        status = int(switches.login_failed_status)
        try:
            user = people.proven(str(name), str(password), now=now)
        except LockedOut:
            return self.failure(status, "The user is locked")
        except WrongPassword:
            return self.failure(status, "Invalid user name or password")
        wants = any(each.lower() == "forceeiauthentication" for each in request.args)
        # There is no TLS here: whose certificate the client has is said by a header that only the sandbox knows.
        if (wants or user.enterprise) and request.headers.get("X-Sandbox-Client-Certificate") != user.party:
            reason = "Enterprise certificate authentication failed, verify that the supplied certificate is valid"
            return self.failure(401, reason)
        session = self.new_session(user)
        return plain(200, headers={**HEADERS, "Set-Cookie": self.cookie(session)})

    def list_metadata(self, request: Request) -> Response:
        """List the services in force; open to all."""
        metadata = self._metadata(request)
        services = [each for each in self.world.altinn2.services() if in_force(each, self.world.clock())]
        try:
            query = read_query(
                request.args, properties=_SERVICE_PROPERTIES, type_name=_SERVICE_TYPE, page=10_000, most=10_000
            )
        except BadQuery as error:
            return self.failure(400, str(error))
        return self.shown(request, metadata.listed(query.page(services, metadata.summary)))

    def get_form_task(self, request: Request, code: str, edition: int) -> Response:
        """Show a form task with its forms, attachment rules and process."""
        return self.shown(request, self._metadata(request).whole(self._service(code, edition, FORM_TASK)))

    def get_correspondence(self, request: Request, code: str, edition: int) -> Response:
        """Show a correspondence service."""
        return self.shown(request, self._metadata(request).whole(self._service(code, edition, CORRESPONDENCE)))

    def get_form_schema(self, request: Request, code: str, edition: int, *, format_id: str, version: str) -> Response:
        """The XSD of a form."""
        del request
        for form in self._service(code, edition, FORM_TASK).forms:
            key = (form.data_format_id.lower(), form.data_format_version.lower())
            if key == (format_id, version) and form.schema is not None:
                return self._schema(form.schema)
        return self.failure(404)

    def get_rule_schema(self, request: Request, code: str, edition: int, *, rule_id: int) -> Response:
        """The XSD of a type of attachment."""
        del request
        for rule in self._service(code, edition, FORM_TASK).attachment_rules:
            if rule.id == rule_id and rule.schema is not None:
                return self._schema(rule.schema)
        return self.failure(404)

    def get_role_requirements(self, request: Request) -> Response:
        """List who may use a service; 404 for one that is unknown."""
        edition = request.args.get("serviceEditionCode", "")
        service = self.world.altinn2.service(
            request.args.get("serviceCode", ""), int(edition) if edition.isdecimal() else -1
        )
        if service is None:
            return self.failure(404)
        roles = [{"RoleDefinitionId": 4, "RoleDefinitionCode": "DAGL", "RoleName": "Daglig leder"}]
        embedded = {"roledefinitions": roles}
        return self.shown(
            request, {"_links": {"self": {"href": f"{self.base}/metadata/rolerequirements"}}, "_embedded": embedded}
        )

    def list_enterprise_users(self, request: Request) -> Response:
        """List the enterprise users of the organisation that calls; a bare list in every format."""
        number = self.caller(request).organisation
        if number is None:
            return self.failure(401, NO_ORGANISATION)
        users = [
            {
                "UserName": each.name,
                "Created": None if each.created is None else local(each.created),
                "OwnerOrgNo": each.party,
            }
            for each in self.world.altinn2.people.enterprise_users(number)
        ]
        return as_json(200, users, content_type=HAL, headers=self.headers())

    def list_reportees(self, request: Request) -> Response:
        """List on whose behalf the caller may act."""
        caller = self.caller(request)
        found = [each for each in self.world.altinn2.people.parties() if caller.may_stand_for(each)]
        code, edition = request.args.get("serviceCode"), request.args.get("serviceEdition", "")
        if code is not None and self.world.altinn2.service(code, int(edition) if edition.isdecimal() else -1) is None:
            found = []
        types: Mapping[str, type] = {
            "ReporteeId": str,
            "Name": str,
            "Type": str,
            "OrganizationNumber": str,
            "Status": str,
        }
        try:
            query = read_query(
                request.args, properties=types, type_name="Altinn.SBL.AltinnWebAPI.Models.Reportee", page=1000
            )
        except BadQuery as error:
            return self.failure(400, str(error))
        href = f"{self.base}/reportees"
        links = {"find": {"href": f"{href}/{{reporteeId}}", "isTemplated": True}, "self": {"href": href}}
        shown = [self._reportee(each) for each in query.page(found, self._reportee)]
        return self.shown(request, {"_links": links, "_embedded": {"reportees": shown}})

    def get_reportee(self, request: Request, reportee_id: str) -> Response:
        """Show one reportee."""
        party = self.world.altinn2.people.party(reportee_id)
        if party is None or party.reportee != reportee_id or not self.caller(request).may_stand_for(party):
            return self.failure(404)
        return self.shown(request, self._reportee(party))

    def convert_reportee(self, request: Request) -> Response:
        """The reportee with a number; a person's last name must be right, where the sandbox knows a name."""
        try:
            given = read_body(request, 100_000).value
        except (NotReadable, WrongType, TooLarge):
            self.refuse(request, self.failure(400, "The body is not readable"))
        given = given if isinstance(given, dict) else {}
        number = given.get("OrganizationNumber") or given.get("SocialSecurityNumber")
        name = given.get("OrganizationName") or given.get("LastName")
        party = self.world.altinn2.people.party(str(number)) if number else None
        if party is None or party.number != number or not self.caller(request).may_stand_for(party):
            return self.failure(404)
        if isinstance(name, str) and name.casefold() not in party.name.casefold():
            return self.failure(404)
        return self.shown(request, self._reportee(party))

    def get_profile(self, request: Request, who: str) -> Response:
        """Show the profile of the user or of an organisation."""
        if who == "my" and not self.caller(request).enterprise:
            return self.shown(request, self._own_profile(self.caller(request)))
        party = self.caller(request).party if who == "my" else self.world.altinn2.people.party(who)
        if party is None or party.kind != ORGANISATION:
            return self.failure(404)
        return self.shown(request, self._organisation_profile(party))

    def list_rights(self, request: Request, who: str) -> Response:
        """List what the caller may do on behalf of *who*, by service."""
        act = self.act(request, who)
        party = next((each for each in self.world.altinn2.people.parties() if each.names & act.names), None)
        allowed = ACTIONS if party is None else [each for each in ACTIONS if each in party.rights]
        code, edition = request.args.get("serviceCode"), request.args.get("serviceEdition")
        rights = [
            {
                "RightID": 1_000_000 + place,
                "RightType": "Service",
                "ServiceCode": service.code,
                "ServiceEditionCode": service.edition,
                "Action": action,
                "RightSourceType": "RoleTypeRights",
                "IsDelegatable": True,
            }
            for place, (service, action) in enumerate(
                (service, action) for service in self.world.altinn2.services() for action in allowed
            )
            if code in (None, service.code) and edition in (None, str(service.edition))
        ]
        try:
            query = read_query(
                request.args, properties=_RIGHTS, type_name="Altinn.SBL.AltinnWebAPI.Models.Right", page=1000
            )
        except BadQuery as error:
            return self.failure(400, str(error))
        links = {"self": {"href": f"{self.base}/{who}/authorization/rights"}}
        shown = query.page(rights, lambda right: right)
        return self.shown(request, {"_links": links, "_embedded": {"rights": shown}})

    def _metadata(self, request: Request) -> Metadata:
        return Metadata(api=self.base, language=self.language(request, "1033"), switches=self.world.switches)

    def _service(self, code: str, edition: int, kind: str) -> Service:
        found = self.world.altinn2.service(code, edition)
        if found is None or found.kind != kind or not in_force(found, self.world.clock()):
            refuse(self.failure(404))
        return found

    def _schema(self, text: str) -> Response:
        headers = {**self.headers(), "Content-Disposition": "attachment; filename=schema.xsd"}
        return plain(200, text, content_type="application/xml", headers=headers)

    def _reportee(self, party: Party) -> dict[str, Any]:
        switches = self.world.switches
        links = {
            "self": {"href": f"{self.base}/reportees/{party.reportee}"},
            "messages": {"href": f"{self.base}/{party.reportee}/messages"},
        }
        shown = {"ReporteeId": party.reportee, "Name": party.name}
        if party.kind == ORGANISATION:
            kind = {"Type": switches.reportee_types, "OrganizationNumber": party.number, "Status": "Active"}
            return {**shown, **kind, "_links": links}
        number = party.number if switches.reportee_numbers == "whole" else f"{party.number[:6]}*****"
        return {**shown, "Type": party.kind, "SocialSecurityNumber": number, "_links": links}

    def _own_profile(self, caller: Caller) -> dict[str, Any]:
        name = "SANDKASSE BRUKER" if caller.party is None else caller.party.name
        return {
            "Name": name,
            "AddressLine1": "",
            "AddressLine2": "Sandveien 1",
            "AddressLine3": "0001 OSLO",
            "UserName": "" if caller.login is None else caller.login.name,
            "MobileNumber": "+4700000000",
            "PreferredLanguage": {"1044": "NorwegianNO", "2068": "NorwegianNN", "1033": "English"}[
                self.world.switches.default_language
            ],
            "ShowClientUnits": False,
            "PrivateConsent": False,
            "ProfessionalConsent": False,
            "ContactInformation": {
                "Email": "bruker@example.no",
                "Mobile": "+4700000000",
                "RequestsEmailReceipts": False,
            },
            "_links": {
                "self": {"href": f"{self.base}/my/profile"},
                "portalview": {"href": f"{self.host}/Pages/Profile/MyUserSettings.aspx"},
            },
        }

    def _organisation_profile(self, party: Party) -> dict[str, Any]:
        href = f"{self.base}/{party.number}/profile"
        return {
            "Entity": party.name,
            "Email": "post@example.no",
            # A number, as in the published sample.
            "MobileNumber": 40000000,
            "Address": "Sandveien 1",
            "PostCode": "0001",
            "City": "OSLO",
            "BusinessAddress": "Sandveien 1",
            "BusinessPostCode": "0001",
            "BusinessCity": "OSLO",
            "LastModifiedBy": "SANDKASSE BRUKER",
            "LastModifiedDate": local(self.world.clock()),
            "IsSelectedForNotification": False,
            "_links": {
                "self": {"href": href},
                "portalview": {"href": f"{self.host}/Pages/Profile/UnitProfile.aspx?o={party.number}"},
                "contactinformation": {"href": f"{href}/contactinformation"},
            },
        }
