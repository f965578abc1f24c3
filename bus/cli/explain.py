"""`bus explain`: whether an agency may write or read a resource, why, and under which article."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bus.cli.acting import FORM, INSTANT
from bus.cli.options import as_json_option
from bus.register.place import opened
from bus.settings import load
from compliance.explain import Answer, Way
from compliance.explain import explain as ask
from compliance.modelfile import read_model, text_of
from compliance.models import Grant
from schemas.refusals import Refused


@click.command()
@click.argument("agency")
@click.argument("resource")
@click.argument("field", required=False)
@click.option("--write", "ways", flag_value="WRITE", help="whether it may supply; both if neither is asked for")
@click.option("--read", "ways", flag_value="READ", help="whether it may receive")
@click.option("--at", type=INSTANT, help="by the register and the rules as of then; now if not given")
@click.option("--grant-file", type=FORM, help="a grant (YAML) as if the register held it")
@as_json_option
@click.pass_context
def explain(
    context: click.Context,
    agency: str,
    resource: str,
    field: str | None,
    ways: str | None,
    at: datetime | None,
    grant_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say whether AGENCY may write and read RESOURCE, or one FIELD of it, and why; ends with 1 when it may nothing."""
    grant = None if grant_file is None else read_model(text_of(grant_file, grant_file.name), grant_file.name, Grant)
    now = datetime.now(UTC)
    with opened(load()) as register:
        view = register.view(at) if at is not None and at < now else register.view()
    asked = [Way(ways)] if ways is not None else list(Way)
    answers = [
        answer for way in asked for answer in ask(view, agency, resource, at or now, way=way, field=field, grant=grant)
    ]
    if as_json:
        click.echo(json.dumps([_plain(answer) for answer in answers], ensure_ascii=False))
    else:
        for answer in answers:
            _say(answer)
    if not any(answer.permitted for answer in answers):
        context.exit(1)


def _say(answer: Answer) -> None:
    decision = answer.decision
    mark = "permitted 允许" if answer.permitted else "refused 拒绝"
    code = f" {decision.code.value}" if isinstance(decision, Refused) else ""
    under = f" ({answer.under})" if answer.under else ""
    click.echo(f"{answer.way.value.lower()}{under}: {mark}{code}, Art {decision.article}")
    click.echo(f"  {decision.reason_zh}")
    click.echo(f"  {decision.reason_en}")


def _plain(answer: Answer) -> dict[str, Any]:
    decision = answer.decision
    return {
        "way": answer.way.value,
        "under": answer.under,
        "permitted": answer.permitted,
        "code": decision.code.value if isinstance(decision, Refused) else None,
        "article": decision.article,
        "zh": decision.reason_zh,
        "en": decision.reason_en,
    }
