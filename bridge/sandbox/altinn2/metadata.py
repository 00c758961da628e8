"""How Altinn 2 shows its services (facts/altinn2.md 4)."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.altinn2.model import FORM_TASK, AttachmentRule, FormType, Service
from bridge.sandbox.altinn2.views import local
from bridge.sandbox.core.switches import Switches

_FROM, _TO = datetime(2010, 1, 1, tzinfo=UTC), datetime(2199, 12, 30, tzinfo=UTC)
_NORWEGIAN = {"FormFilling": "Utfylling", "Signing": "Signering", "Payment": "Betaling", "SendIn": "Innsending"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Where links point and in which language names are."""

    api: str
    language: str
    switches: Switches

    def listed(self, services: list[Service]) -> dict[str, Any]:
        """Show a list of services."""
        return {
            "_links": {"self": {"href": f"{self.api}/metadata"}},
            "_embedded": {"metadata": [self.summary(each) for each in services]},
        }

    def summary(self, service: Service) -> dict[str, Any]:
        """Show a service as the list has it."""
        href = self._href(service)
        requirements = f"?serviceCode={service.code}&serviceEditionCode={service.edition}"
        return {
            "ServiceOwnerCode": service.owner_code,
            "ServiceOwnerName": service.owned(self.language),
            "ServiceName": service.named(self.language),
            "ServiceCode": service.code,
            "ServiceEditionName": service.named(self.language),
            "ServiceEditionCode": service.edition,
            "ValidFrom": local(service.valid_from or _FROM),
            "ValidTo": local(service.valid_to or _TO),
            "ServiceType": service.kind,
            "EnterpriseUserEnabled": service.enterprise_users,
            "_links": {
                "self": {"href": href},
                "rolerequirements": {"href": f"{self.api}/metadata/rolerequirements{requirements}"},
            },
        }

    def whole(self, service: Service) -> dict[str, Any]:
        """Show a service with its forms, attachment rules and process."""
        found = self.summary(service)
        if service.kind != FORM_TASK:
            return found
        links = found.pop("_links")
        rules = [self._rule(service, each) for each in service.attachment_rules]
        return {
            **found,
            # Observed on every service, those that REST is used for included.
            "RestEnabled": False,
            **({"AttachmentRules": rules} if rules else {}),
            "FormsMetaData": [self._form(service, each) for each in service.forms],
            "EUSEnabled": service.enterprise_users,
            "ProcessSteps": self._steps(service),
            "_links": links,
        }

    def _form(self, service: Service, form: FormType) -> dict[str, Any]:
        key = f"{form.data_format_id}/{form.data_format_version}"
        version = form.data_format_version
        shown: dict[str, Any] = {
            "FormID": zlib.crc32(f"{service.code}/{service.edition}/{key}".encode()) % 1_000_000,
            "FormName": form.name,
            "DataFormatProviderType": form.provider,
            "DataFormatID": form.data_format_id,
            "DataFormatVersion": int(version) if version.isdecimal() else version,
            "IsOnlyXsdValidation": form.only_xsd,
            "FormType": form.kind,
        }
        if form.schema is not None:
            shown["_links"] = {"schema": {"href": f"{self._href(service)}/forms/{key}/xsd"}}
        return shown

    def _rule(self, service: Service, rule: AttachmentRule) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "AttachmentRuleId": rule.id,
            "AllowedFileTypes": rule.file_types,
            "AttachmentTypeName": rule.name,
            "AttachmentTypeNameLanguage": rule.name,
            "IsCheckSumAllowed": False,
            self.switches.metadata_xsd_spelling: rule.schema is not None,
            "MaxAttachmentCount": 0 if rule.max_count is None else rule.max_count,
            "MaxFileSize": rule.max_size,
            "MinAttachmentCount": rule.min_count,
        }
        if rule.schema is not None:
            shown["_links"] = {"schema": {"href": f"{self._href(service)}/attachmentrules/{rule.id}/xsd"}}
        return shown

    def _steps(self, service: Service) -> list[dict[str, Any]]:
        names = ["FormFilling", *["Signing"] * service.signing_steps]
        if service.payment:
            names.append("Payment")
        if not service.signing_steps:
            names.append("SendIn")
        norwegian = self.switches.process_step_names == "norwegian"
        return [
            {
                "SequenceNumber": number,
                "Name": _NORWEGIAN[name] if norwegian else name,
                "SecurityLevel": max(1, service.security_level),
            }
            for number, name in enumerate(names, 1)
        ]

    def _href(self, service: Service) -> str:
        return f"{self.api}/metadata/{service.kind.lower()}/{service.code}/{service.edition}"


def in_force(service: Service, now: datetime) -> bool:
    """Whether metadata has a service at all."""
    return (service.valid_from or _FROM) <= now and (service.valid_to is None or now < service.valid_to)
