"""Pages of the language that agencies share: resources, envelopes, the data-element dictionary, the code lists."""

from importlib.resources import files

from bus.reference.markdown import table
from schemas.codelists import load, names
from schemas.dictionary import Element, code_uses, elements
from schemas.resource import packaged_resources, packaged_text, resource_schema


def schemas_page() -> str:
    """Every resource in one line, and the envelopes."""
    rows = []
    for name in packaged_resources():
        schema = resource_schema(packaged_text(name))
        owners = ", ".join(f"`{code}`" for code in schema.avro["owner"])
        owner_field = schema.avro.get("owner_field")
        rows.append(
            (
                f"[`{name}`](dictionary.md#{name})",
                schema.cn,
                schema.article,
                schema.avro["responsible_department"],
                owners + (f" by `{owner_field}`" if owner_field else ""),
                schema.subject.kind,
                schema.freshness,
                str(len(schema.fields)),
            )
        )
    intro = (
        "The resources of Articles 18 to 35 that travel with the bus; a further one is a file and a catalogue entry."
    )
    heads = ("resource", "名称", "article", "责任采集部门", "proposed owner", "subject", "freshness", "fields")
    folder = files("schemas") / "envelope"
    envelopes = sorted(item.name for item in folder.iterdir() if item.name.endswith(".avsc"))
    return (
        table("Schemas", intro, heads, rows)
        + "\n## Envelopes\n\n"
        + "\n".join(f"- `{name}`" for name in envelopes)
        + "\n"
    )


def dictionary_page() -> str:
    """Every field of every resource, and every code list."""
    intro = (
        "What Article 38 wants of one standard: every field of every packaged resource. Class, base item and required "
        "are the schemas' proposals; the catalogue entry has the last word. `bus schema describe RESOURCE [FIELD]` "
        "shows the same, also of a schema file that does not travel with the bus.\n"
    )
    parts = ["# Data-element dictionary 数据元字典\n", intro]
    heads = (
        "field",
        "信息项",
        "article",
        "type",
        "section",
        "role",
        "code list",
        "class",
        "base item",
        "required",
        "companion",
        "reference copy of",
        "deprecated",
    )
    for name in packaged_resources():
        schema = resource_schema(packaged_text(name))
        intro = f"{schema.cn} (Art {schema.article}), {schema.freshness}. {schema.avro['doc']}"
        parts.append("#" + table(name, intro, heads, [_row(element) for element in elements(schema)]))
    parts.append("#" + _code_lists())
    return "\n".join(parts)


def _row(element: Element) -> tuple[str, ...]:
    codes = f"`{element.code_list}`, {element.code_policy}" if element.code_list else ""
    return (
        f"`{element.name}`",
        element.cn,
        element.article,
        element.type,
        element.section,
        element.role or "",
        codes,
        element.sharing,
        _mark(element.base_item),
        _mark(element.required),
        _mark(element.companion),
        f"`{element.reference_of}`" if element.reference_of else "",
        _mark(element.deprecated),
    )


def _mark(holds: bool) -> str:  # noqa: FBT001  one value to show
    return "yes" if holds else ""


def _code_lists() -> str:
    rows = []
    for name in names():
        codes = load(name)
        verified = sum(row.verified for row in codes.rows)
        uses = ", ".join(f"`{use.resource}.{use.field}` ({use.policy})" for use in code_uses(name))
        counted = f"{verified} of {len(codes.rows)}"
        rows.append((f"`{name}`", codes.title, codes.standard, codes.version, counted, codes.source, uses))
    intro = "Each list is dated and says where its rows come from; `bus codes LIST` shows the rows."
    heads = ("list", "title", "standard", "version", "rows verified", "source", "used by")
    return table("Code lists 代码表", intro, heads, rows)
