"""What commands that act on the register share: who acts, when, with which form, and how a refusal is told."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from bus.cli.options import present_user
from compliance.catalogue import end_of
from compliance.modelfile import read_model, text_of
from compliance.roles import AGENCY_ROLES, COUNTY_ROLES, Actor, Role
from compliance.values import Moment
from compliance.workflow import Transition
from schemas.errors import UsageError
from schemas.refusals import Refused

F = TypeVar("F", bound=Callable[..., Any])
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class InstantType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """An instant with its time zone, or a day, which stands for its last second in Huizhou."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant that a text means."""
        if isinstance(value, datetime):
            return value
        try:
            return end_of(date.fromisoformat(str(value))) - timedelta(seconds=1)
        except (ValueError, OverflowError):
            pass
        try:
            return _MOMENT.validate_python(value)
        except ValidationError:
            self.fail("is neither a day as 2026-01-31 nor an instant as 2026-01-31T08:00:00+08:00", param, ctx)


INSTANT = InstantType()
FORM = click.Path(exists=True, dir_okay=False, path_type=Path)


def acting_options(command: F) -> F:
    """The options that name who acts, in which role, for whom, with which form, and when."""
    for option in reversed(
        (
            click.option(
                "--form", "form", type=FORM, help="what is filled in, a YAML file; `bus workflow form` makes one"
            ),
            click.option(
                "--as", "account", default=present_user, help="who acts; the user of this process if not given"
            ),
            click.option(
                "--role", required=True, type=click.Choice([role.value for role in Role]), help="in which role"
            ),
            click.option("--agency", help="the agency that the person acts for"),
            click.option("--division", help="the county of a county's office (GB/T 2260)"),
            click.option("--at", type=INSTANT, help="when it was done; now if not given"),
        )
    ):
        command = option(command)
    return command


def actor_of(account: str, role: str, agency: str | None, division: str | None) -> Actor:
    """The actor that the options name.

    Raises:
        UsageError: the role wants an agency or a county, or a code is none.
    """
    found = Role(role)
    if found in AGENCY_ROLES and agency is None:
        raise UsageError(f"--role {role} acts for an agency: name it with --agency")
    if found in COUNTY_ROLES and division is None:
        raise UsageError(f"--role {role} acts for a county: name it with --division")
    if found is Role.CLOCK:
        raise UsageError("the clock acts by itself: `bus clock tick`")
    try:
        return Actor(account=account, role=found, agency=agency, division=division)
    except ValidationError as error:
        problems = (
            f"--{problem['loc'][0]} {problem['msg'].removeprefix('Value error, ')}" for problem in error.errors()
        )
        raise UsageError("; ".join(problems)) from None


def instant_of(at: datetime | None) -> datetime:
    """When an action was taken.

    Raises:
        UsageError: that lies in the future.
    """
    now = datetime.now(UTC)
    if at is not None and at > now:
        raise UsageError("--at lies in the future: an action is recorded once it was taken")
    return at or now


def form_of(path: Path | None, transition: Transition | None) -> dict[str, Any] | None:
    """What a form file holds for a transition; None without a file.

    Raises:
        RegisterFileError: listing every error of the form with its line and column.
    """
    if path is None:
        return None
    text = text_of(path, path.name)
    if transition is None or transition.form is None:
        raise UsageError("the action takes no form here: leave out --form")
    return read_model(text, path.name, transition.form).model_dump(mode="json", by_alias=True)


def tell_refusal(context: click.Context, refused: Refused, *, as_json: bool) -> None:
    """Say why not, in both languages, and end with 1."""
    if as_json:
        body = {
            "code": refused.code.value,
            "article": refused.article,
            "zh": refused.reason_zh,
            "en": refused.reason_en,
            "field": refused.field,
        }
        click.echo(json.dumps({"refused": body}, ensure_ascii=False))
    else:
        click.echo(f"refused {refused.code.value} (Art {refused.article}): {refused.reason_zh}", err=True)
        click.echo(f"  {refused.reason_en}", err=True)
    context.exit(1)
