"""The first catalogue, proposed from the packaged schemas: one entry for each resource of Articles 18 to 35.

Everything here is a proposal that the catalogue procedure of Article 39 approves: classes and base items as the
schemas propose them (decisions 9), owners as Chapter 2 names them. What the regulation does not say of a resource,
such as the name of the system behind it, is worded so that an office sees what it has to write there.
"""

import re
from datetime import datetime
from functools import cache

from compliance.catalogue import local_date
from compliance.entry import (
    CatalogueEntry,
    DataLevel,
    FieldPolicy,
    LegalBasis,
    OwnerRule,
    ResourceFormat,
    SharingPeriod,
)
from compliance.entry_rules import NO_CONDITIONS, REAL_TIME
from schemas.codelists import load
from schemas.errors import UsageError
from schemas.field import FieldSpec
from schemas.resource import ResourceSchema, packaged_resources, packaged_text, platform_resources, resource_schema
from schemas.words import FreshnessClass, SharingClass

REGULATION = "惠州市政务信息资源共享管理办法"
PLATFORM = "惠州市政务信息资源共享与交换平台"
DIVISION = "441300"
_QUARTERLY = "每季度"
_MANNER = "本市行政机关依法履行职责使用；经共享平台授权，以消息订阅方式接收"
_CONDITIONS = {
    "open": "与履行法定职责或者协同办公相关，经信息提供部门同意",
    "identity": "须凭身份标识办理业务，经信息提供部门同意并签订安全保密协议",
    "restricted": "敏感信息，须说明特定目的和充分必要性，经信息提供部门同意并签订安全保密协议",
}
_ENTRY_CONDITIONS = "条件共享的信息项须经信息提供部门同意，签订安全保密协议，仅用于约定目的和范围"
# The first three of the national guide's basic resources: population, legal entities, nature and space.
_BASIC = {"person": "101", "organisation": "102", "feature": "103"}


def propose(resource: str, published_at: datetime, *, version: int = 1, partitions: int = 4) -> CatalogueEntry:
    """The proposed entry of a packaged resource.

    Args:
        resource: its code.
        published_at: when the entry is published; it is shared from that day on.
        version: of the entry.
        partitions: of its topics, for ever.

    Raises:
        UsageError: no schema of that name travels with the bus.
    """
    text = packaged_text(resource)
    schema = resource_schema(text)
    classes = {spec.sharing for spec in schema.fields.values()}
    conditional = SharingClass.CONDITIONAL in classes
    return CatalogueEntry(
        resource=resource,
        version=version,
        identifier=identifier_of(resource),
        name=schema.cn,
        content=f"{schema.cn}：{'、'.join(spec.cn for spec in schema.fields.values())}",
        responsible_department=schema.avro["responsible_department"],
        update_frequency=REAL_TIME if schema.freshness == FreshnessClass.DYNAMIC.value else _QUARTERLY,
        platform=PLATFORM,
        related_systems=(f"{schema.cn}业务系统",),
        scope_and_manner=_MANNER,
        sharing_period=SharingPeriod(from_=local_date(published_at)),
        freshness=FreshnessClass(schema.freshness),
        sharing=SharingClass.CONDITIONAL if conditional else SharingClass.UNCONDITIONAL,
        conditions=_ENTRY_CONDITIONS if conditional else NO_CONDITIONS,
        legal_basis=_basis(schema.article),
        format=ResourceFormat.DATABASE,
        baseline=any(spec.attributes.get("base_item") for spec in schema.fields.values()),
        level=DataLevel.GENERAL,
        related=_related(schema),
        owners=(_owner(schema),),
        fields={name: _policy(spec) for name, spec in schema.fields.items()},
        partitions=partitions,
        published_at=published_at,
        avro=text,
    )


@cache
def identifier_of(resource: str) -> str:
    """信息资源代码 of a packaged resource: basic resource, its kind, the article, and a sequence within the article.

    Raises:
        UsageError: no schema of that name travels with the bus.
    """
    schema = resource_schema(packaged_text(resource))
    every = (*packaged_resources(), *platform_resources())
    same = [code for code in every if _number(code) == _number(resource)]
    return f"{_BASIC[schema.subject.kind]}{_number(resource):03d}/{same.index(resource) + 1:06d}"


def _number(resource: str) -> int:
    """The article without its paragraph."""
    found = re.match(r"\d+", resource_schema(packaged_text(resource)).article)
    if found is None:
        raise UsageError(f"resource {resource} names no article")
    return int(found.group())


def _related(schema: ResourceSchema) -> tuple[str, ...]:
    """The resource that this one is a part of, and those that its reference copies point to."""
    targets = [str(spec.attributes["reference_of"]) for spec in schema.fields.values() if _refers(spec)]
    named = [schema.avro.get("part_of"), *(target.partition(".")[0] for target in targets)]
    return tuple(sorted({identifier_of(code) for code in named if code is not None}))


def _refers(spec: FieldSpec) -> bool:
    return "reference_of" in spec.attributes


def _owner(schema: ResourceSchema) -> OwnerRule:
    """The agencies that Chapter 2 names, in the whole city.

    Where many lawful writers each own their part, the part is bound at once if a code list says all of them; else the
    next version divides the resource, once the institutions are known.
    """
    field = schema.avro.get("owner_field")
    spec = schema.fields.get(str(field))
    agencies, divisions = tuple(schema.avro["owner"]), (DIVISION,)
    if spec is None or spec.code_list is None:
        return OwnerRule(agencies=agencies, divisions=divisions)
    return OwnerRule(agencies=agencies, divisions=divisions, field=spec.name, values=tuple(load(spec.code_list)))


def _policy(spec: FieldSpec) -> FieldPolicy:
    """Class, basis and conditions of one field: base items are unconditional by Article 4, all else conditional."""
    return FieldPolicy(
        sharing=spec.sharing,
        legal_basis=_basis("4"),
        conditions=_CONDITIONS[spec.section] if spec.sharing is SharingClass.CONDITIONAL else None,
    )


def _basis(article: str) -> LegalBasis:
    return LegalBasis(title=REGULATION, article=article)


def remarks(resources: tuple[str, ...]) -> list[str]:
    """What people must know and decide before they apply the proposal."""
    schemas = [resource_schema(packaged_text(code)) for code in resources]
    agencies = sorted({code for schema in schemas for code in schema.avro["owner"]})
    lines = [
        "A proposal from the packaged schemas. Nothing is in force before it is approved and applied (Art 39).",
        f"The register must know these agencies: {', '.join(agencies)}",
        "Write into related_systems the systems that the information comes from.",
    ]
    for schema in schemas:
        field = schema.avro.get("owner_field")
        if field is not None:
            lines.append(
                f"{schema.code} has many lawful writers: give each its values of {field} (Art {schema.article})"
            )
    return lines
