"""`bus notice …`: the messages in the register to roles on file, and what its clocks have to tell."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import click

from bus.cli.acting import INSTANT, instant_of
from bus.cli.options import as_json_option, limit_option
from bus.cli.tables import print_table
from bus.notices.sending import send_waiting, transports, ways_of
from bus.register.lock import sender_lock
from bus.register.place import opened
from bus.settings import load
from compliance.catalogue import SHANGHAI
from compliance.notice_kinds import LEVEL_NAMES, RULES, WITHDRAWN
from compliance.notice_text import as_json as notice_json
from compliance.notice_text import recipient_names
from compliance.notices import Notice
from compliance.register.noticebook import NoticeBook, Told
from schemas.errors import UsageError

_OTHERS_S = 30.0


@click.group()
def notice() -> None:
    """Look at what is told to whom, and tell what the register's clocks have."""


@notice.command("list")
@click.option("--agency", help="to roles of one agency")
@click.option("--standing", is_flag=True, help="what was not taken back, without the withdrawals")
@limit_option
@as_json_option
def list_(agency: str | None, limit: int, *, standing: bool, as_json: bool) -> None:
    """List the messages in the register, newest first."""
    with opened(load()) as register:
        book = NoticeBook(register)
        found = book.listed(agency=agency, standing=standing, limit=None if as_json else limit + 1)
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    heads = ("told", "to", "how high", "what", "about", "due", "article", "left by")
    print_table(heads, [_row(one) for one in found[:limit]])
    if len(found) > limit:
        click.echo(f"there are more; --limit shows more than {limit}, --json all")


@notice.command()
@click.option("--at", type=INSTANT, help="as of when; now if not given")
@as_json_option
def settle(at: datetime | None, *, as_json: bool) -> None:
    """Tell what stands in the register and was not told yet, and take back what is no more."""
    settings = load()
    with opened(settings) as register:
        found = NoticeBook(register, ways_of(settings)).settle(instant_of(at))
    if as_json:
        click.echo(json.dumps([notice_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        rule = RULES[one.cause.kind]
        click.echo(f"{_level(one)} → {one.to.desk}: {rule.sentence_zh} {rule.sentence_en}")
    if not found:
        click.echo("nothing to tell")


@notice.command()
def send() -> None:
    """Send what waits and whose hour has come; ends with 3 when something did not leave, which is tried again later."""
    settings = load()
    by = transports(settings)
    if not by:
        raise UsageError("no way is set: BUS_NOTICE_WEBHOOK_URL or BUS_NOTICE_SMTP_HOST")
    with opened(settings) as register, sender_lock(register.engine, _OTHERS_S):
        passed = send_waiting(NoticeBook(register, by), by, lambda: datetime.now(UTC))
    click.echo(f"{passed.sent} sent")
    for problem in passed.failed:
        click.echo(f"not sent: {problem.sentence}", err=True)
    if passed.failed:
        sys.exit(3)


def _row(one: Told) -> tuple[str, ...]:
    told, cause = one.notice, one.notice.cause
    rule = RULES[cause.kind]
    whose = (cause.agency, cause.source, cause.resource, cause.group)
    about = (*whose, cause.quarter, cause.matter, cause.clock, cause.role)
    return (
        told.decided_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
        f"{told.to.desk} {recipient_names(told.to)[0]}",
        _level(told) + (" (taken back)" if one.withdrawn else ""),
        f"{rule.sentence_zh} {rule.sentence_en}",
        " ".join(str(word) for word in (*about, cause.year) if word is not None),
        "" if cause.due is None else cause.due.isoformat(),
        f"Art {cause.article or rule.article}" + (" advises only" if cause.advisory else ""),
        " ".join(f"{way.value} {at.astimezone(SHANGHAI):%m-%d %H:%M}" for way, at in one.sent),
    )


def _level(told: Notice) -> str:
    return " ".join(WITHDRAWN if told.withdraws else LEVEL_NAMES[told.level])


def _plain(one: Told) -> dict[str, Any]:
    return {
        **notice_json(one.notice),
        "told_at": one.notice.decided_at.isoformat(),
        "send_at": one.notice.send_at.isoformat(),
        "withdrawn": one.withdrawn,
        "sent": {way.value: at.isoformat() for way, at in one.sent},
    }
