"""The lawful way to the demo's deliveries: connections, catalogue, reviews, applications, agreements, grants.

Every step is one of the register's workflows, taken by who may take it. Time is an argument: the demo's register
begins weeks ago, and its calendar is moved forward from step to step, so that waiting costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bus.demo.people import Maker
from bus.demo.register import (
    AGENCIES,
    COUNTY,
    COUNTY_DIVISION,
    COUNTY_FIELDS,
    EXPIRED,
    FULL,
    LINKS,
    OTHERS,
    OWNERS,
    entry_of,
    other_grant,
    owners_of,
)
from compliance.catalogue import local_date
from compliance.register.decision import Moved
from compliance.register.service import Register
from compliance.roles import Actor, Role
from compliance.workflow import Matter
from compliance.workflows.item_rules import grant_id
from schemas.errors import BusError
from schemas.refusals import Refused
from schemas.resource import packaged_text, resource_schema

BEGAN_DAYS_AGO = 60
_TERM_DAYS = 365
_EXPIRED_DAYS_AGO = 2
_SEED = 441_300
_LAW = {"title": "惠州市政务信息资源共享管理办法", "article": "44", "level": "GOVERNMENT_RULE"}
_DIGEST = "0" * 64
_CITY = {
    role: Actor(account=f"demo-{role.value.lower()}", role=role)
    for role in (Role.OPERATOR_CITY, Role.AUTHORITY_CITY, Role.GOVERNMENT_CITY, Role.STAFFING)
}


class UnlawfulError(BusError):
    """A step that the demo takes was refused."""

    code = "DEMO_FAILED"


@dataclass(frozen=True, slots=True)
class Lawful:
    """What came of it.

    Attributes:
        grants: the register's id of each grant that the demo names.
        steps: how many decisions were taken.
        negotiated: the history of the item that was refused, one line a step.
        expired: how many grants the calendar ended.
    """

    grants: Mapping[str, str]
    steps: int
    negotiated: Sequence[str]
    expired: int


class LawfulWay:
    """Goes the whole way once.

    Args:
        register: empty, before the way is gone.
        folder: the demo's state directory, where the agencies' certificates are.
        now: where the calendar ends; it begins `BEGAN_DAYS_AGO` days before.
    """

    def __init__(self, register: Register, folder: Path, now: datetime) -> None:
        self._register = register
        self._folder = folder
        self._now = now
        self._at = now
        self._steps = 0

    def go(self) -> Lawful:
        """Take every step.

        Raises:
            UnlawfulError: one was refused; it says which and why.
        """
        self._at = began(self._now)
        self._connect()
        self._publish_catalogue()
        self._review()
        items = self._apply()
        self._forward(days=2)
        grants = {name: self._grant(item) for name, item in items.items()}
        negotiated = self._negotiate()
        self._at = self._now
        over = self._register.tick(self._now)
        ended = [moved for moved in over if moved.transition.action == "expire" and moved.matter.workflow == "grant"]
        return Lawful(grants, self._steps, negotiated, len(ended))

    # -- the steps ----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Articles 10 and 43: three named persons, a certificate, the operator's check."""
        maker = Maker(Random(_SEED))  # noqa: S311  made-up agencies need no secret chance
        for code, name in AGENCIES.items():
            central = code == "national_tax"
            form = {
                "code": code,
                "name": name,
                "credit_code": maker.credit_code("11", "441300"),
                "type": "CENTRAL_AGENCY" if central else "ADMINISTRATIVE_ORGAN",
                "participation": "BY_REFERENCE" if central else "MANDATORY",
                "division": "441300",
                "contacts": [
                    {"role": role, "name": "示例", "phone": "0752-0000000"}
                    for role in ("LEADER", "SHARING_OFFICER", "TECHNICAL_OFFICER", "CONTACT")
                ],
                "certificate": {"pem": (self._folder / "agencies" / code / "signing.crt").read_text(encoding="ascii")},
            }
            number = self._open("onboarding", "apply", form, _of(code)).number
            check = {"network_line": "政务外网专线", "interface_tested_on": self._today}
            self._act(number, "check", check, Role.OPERATOR_CITY)
            self._act(number, "connect", {"connected_on": self._today, "document": "接入确认书"}, Role.OPERATOR_CITY)

    def _publish_catalogue(self) -> None:
        """Articles 12 and 39: drafted, co-signed where it is baseline information, verified, approved, published."""
        for resource in (*OWNERS, *OTHERS, LINKS):
            entry = entry_of(resource, self._at)
            draft = {"entry": entry.model_dump(mode="json", by_alias=True)}
            number = self._open("catalogue", "draft", draft, _CITY[Role.OPERATOR_CITY]).number
            if entry.baseline:
                self._act(number, "cosign", {"document": "编办会签", "signed_on": self._today}, Role.STAFFING)
            self._act(number, "verify", {"opinion": "核实无误"}, Role.AUTHORITY_CITY)
            approval = {"approval_number": "惠府函〔示例〕1号", "approved_on": self._today}
            self._act(number, "approve", approval, Role.GOVERNMENT_CITY)
            self._act(number, "publish", {"document": "目录公告〔示例〕1号"}, Role.AUTHORITY_CITY)

    def _review(self) -> None:
        """Article 15: each owner's standing secrecy review."""
        pairs = [(resource, owner) for resource in (*OWNERS, *OTHERS, LINKS) for owner in owners_of(resource)]
        for number, (resource, owner) in enumerate(pairs, 1):
            form = {
                "number": f"DEMO-{number}",
                "resource": resource,
                "catalogue_version": 1,
                "reviewer": "示例",
                "reviewed_on": self._today,
                "valid_until": self._day(_TERM_DAYS),
                "result": "PASS",
                "conclusion": "不涉及国家秘密",
                "document": "保密审查表",
            }
            self._open("secrecy_review", "file", form, _of(owner))

    def _apply(self) -> dict[str, Matter]:
        """Articles 44 and 45: item by item, each with its statutory basis."""
        self._forward(days=1)
        whole = partial(_item, fields=None)
        wanted: dict[str, list[tuple[str, dict[str, Any]]]] = {
            "hrss": [(FULL, whole("residence_permit"))],
            "civil_affairs": [
                (COUNTY, _item("residence_permit", COUNTY_FIELDS, rows={"divisions": [COUNTY_DIVISION]}))
            ],
            "local_tax": [(EXPIRED, _item("enterprise_registration", ("enterprise_name",)))],
            "statistics": [(other_grant(resource), whole(resource)) for resource in OTHERS],
        }
        purposes = {"hrss": "就业登记核验", "civil_affairs": "惠城区人口统计", "local_tax": "税务登记核验"}
        last = {name: self._day(_TERM_DAYS) for items in wanted.values() for name, _ in items}
        last[EXPIRED] = (local_date(self._now) - timedelta(days=_EXPIRED_DAYS_AGO)).isoformat()
        opened: dict[str, Matter] = {}
        for agency, named in wanted.items():
            terms = [{**item, "valid_from": self._today, "valid_until": last[name]} for name, item in named]
            found = self._submit(agency, purposes.get(agency, "统计调查"), terms)
            opened |= {name: item for (name, _), item in zip(named, found, strict=True)}
        return opened

    def _grant(self, item: Matter) -> str:
        """Articles 45 and 48: confirmed by the owner, agreed and signed by both, filed, made active."""
        asked, grant = item.facts["open"], grant_id(item.number)
        provider, subscriber = _of(asked["provider"]), _of(asked["requester"])
        self._take(item.number, "confirm", {}, provider)
        shared = ("provider", "resource", "fields", "rows", "purpose", "valid_from", "valid_until")
        draft = {
            **{key: asked[key] for key in shared},
            "subscriber": asked["requester"],
            "measures": "专人保管，加密存储，不向他人提供",
        }
        agreement = self._open("agreement", "draft", draft, subscriber).number
        for side, actor in (("provider", provider), ("subscriber", subscriber)):
            signature = {"signed_on": self._today, "signatory": "示例", "digest": _DIGEST}
            self._take(agreement, f"sign_{side}", signature, actor)
        number = self._matter_of(grant)
        confirmation = {
            "number": f"QR-{grant}",
            "filed_on": self._today,
            "handler": "示例",
            "phone": "0752-0000000",
            "approved_by": "示例",
        }
        self._take(number, "file_confirmation", confirmation, provider)
        self._act(number, "activate", {}, Role.OPERATOR_CITY)
        self._act(item.number, "deliver_first", self._evidence(grant), Role.OPERATOR_CITY)
        return grant

    def _negotiate(self) -> list[str]:
        """Article 44: a base item that the police refuse goes to negotiation by itself, and is shared in the end."""
        base = _item("household_registration", ("name", "sex_code"), provider="psb")
        term = {"valid_from": self._today, "valid_until": self._day(_TERM_DAYS)}
        [item] = self._submit("local_tax", "核对纳税人身份", [{**base, **term}])
        self._forward(days=3)
        reasons = {"reason": "认为不属于履职所需", "citation": _LAW, "document": "复函〔示例〕1号"}
        self._take(item.number, "refuse", reasons, _of("psb"))
        self._forward(days=4)
        [dispute] = self._register.matters("dispute", parent=item.number)
        result = {"outcome": "SHARE", "summary": "属于基准信息，应当无条件共享", "document": "协商纪要"}
        self._act(dispute.number, "publish_result", {**result, "published_on": self._today}, Role.AUTHORITY_CITY)
        return [
            f"{local_date(step.at)} {step.action}: {step.source or '–'} → {step.target} (Art {step.article})"
            for step in self._register.history(item.number)
        ]

    # -- how they are taken -------------------------------------------------------------------------------------

    def revoke(self, grant: str) -> None:
        """The owner revokes a grant after consulting its subscriber."""
        asked = self._register.matter(self._matter_of(grant))
        provider = "" if asked is None else asked.parties.provider or ""
        form = {"reason": "用途已实现", "citation": _LAW, "consulted_on": self._today, "document": "撤销通知"}
        self._take(self._matter_of(grant), "revoke", form, _of(provider))

    @property
    def _today(self) -> str:
        return self._day(0)

    def _day(self, after: int) -> str:
        return (local_date(self._at) + timedelta(days=after)).isoformat()

    def _forward(self, days: int) -> None:
        """Move the calendar; what falls due meanwhile happens."""
        self._at += timedelta(days=days)
        self._register.tick(self._at)

    def _evidence(self, grant: str) -> dict[str, str]:
        known = self._register.view().grant(grant)
        return {"delivered_on": self._today, "evidence": known.topic if known is not None else grant}

    def _matter_of(self, grant: str) -> str:
        [matter] = self._register.matters("grant", subject=grant)
        return matter.number

    def _submit(self, agency: str, purpose: str, items: Sequence[Mapping[str, Any]]) -> list[Matter]:
        form = {
            "department": "业务科",
            "handler": "示例",
            "phone": "0752-0000000",
            "scenario": purpose,
            "business": purpose,
            "system": "业务系统",
            "purpose": purpose,
            "approved_by": "示例",
            "approved_on": self._today,
            "items": list(items),
        }
        application = self._open("application", "submit", form, _of(agency))
        return list(self._register.matters("application_item", parent=application.number))

    def _open(self, workflow: str, action: str, form: Mapping[str, Any], actor: Actor) -> Matter:
        return self._sure(workflow, action, self._register.open(workflow, action, form, actor, self._at))

    def _act(self, number: str, action: str, form: Mapping[str, Any], role: Role) -> Matter:
        return self._take(number, action, form, _CITY[role])

    def _take(self, number: str, action: str, form: Mapping[str, Any], actor: Actor) -> Matter:
        return self._sure(number, action, self._register.act(number, action, form, actor, self._at))

    def _sure(self, what: str, action: str, answer: Moved | Refused) -> Matter:
        if isinstance(answer, Refused):
            raise UnlawfulError(f"{what} {action}: {answer.code.value}, {answer.reason_en} (Art {answer.article})")
        self._steps += 1
        return answer.matter


def began(now: datetime) -> datetime:
    """When the demo's register begins."""
    return now - timedelta(days=BEGAN_DAYS_AGO)


def _of(agency: str) -> Actor:
    return Actor(account=f"demo-{agency}", role=Role.SHARING_OFFICER, agency=agency)


def _item(
    resource: str, fields: Sequence[str] | None, *, provider: str | None = None, rows: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One item of an application; every field where none are named."""
    schema = resource_schema(packaged_text(resource))
    return {
        "name": str(schema.avro.get("zh", resource)),
        "legal_basis": _LAW,
        "provider": provider or owners_of(resource)[0],
        "resource": resource,
        "fields": list(schema.fields if fields is None else fields),
        "rows": dict(rows or {}),
        "frequency": "实时",
    }
