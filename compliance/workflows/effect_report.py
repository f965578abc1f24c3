"""Use files 使用记录与成效反馈 (2025:27, 29; Art 50, 51): one for each grant that became active, kept three years."""

from collections.abc import Sequence
from datetime import date

from compliance.catalogue import local_date
from compliance.roles import (
    AUTHORITY,
    BY_CONSEQUENCE,
    PROVIDER,
    REQUESTER,
    SUPERVISION,
    Actor,
)
from compliance.view import RegisterView
from compliance.workflow import NEW, Act, Context, Effect, Flag, Parties, Transition, Workflow
from compliance.workflows.effect_forms import (
    EffectReport,
    Inspection,
    RecordsDisposed,
    UseFile,
    UseOver,
    UseRecord,
)
from compliance.workflows.grant_forms import Suspension
from compliance.workflows.sharing import division_of, parent_of
from schemas.refusals import RefusalCode, Refused

OVER_SCOPE = "OVER_SCOPE"
_RETENTION = "use_record_retention"


def _parties(form: UseFile, actor: Actor, view: RegisterView) -> Parties:
    del actor
    return Parties(
        division_of(view, form.subscriber), requester=form.subscriber, provider=form.provider, subject=form.grant
    )


def _kept_long_enough(context: Context) -> Refused | None:
    """Records of use are kept for at least three years where the State Council's regulation binds (2025:29)."""
    if not any(clock.id == _RETENTION for profile in context.law.profiles for clock in profile.clocks):
        return None
    ended = date.fromisoformat(context.matter.facts["use_over"]["ended_on"])
    until = context.law.due(_RETENTION, ended, context.calendar, context.matter.parties.division).day
    if local_date(context.at) > until:
        return None
    return Refused(RefusalCode.E_STATE, f"the records are kept until {until}", cited="2025:29")


def _suspend_if_over_scope(context: Context) -> Sequence[Effect]:
    form: Inspection = context.form
    grant = parent_of(context)
    if not form.over_scope:
        return []
    found: list[Effect] = [Flag(OVER_SCOPE)]
    if grant is not None and grant.state == "ACTIVE":
        why = Suspension(cause="OVER_SCOPE", reason=form.finding, document=form.document)
        found.append(Act(grant.number, "suspend", why))
    return found


EFFECT_REPORT = Workflow(
    code="effect_report",
    prefix="USE",
    zh="使用记录与成效反馈",
    en="use file",
    articles="50, 2025:29",
    states={
        "OPEN": ("使用中", "in use"),
        "KEPT": ("使用结束，记录保存中", "use is over, the records are kept"),
        "CLOSED": ("记录已按期销毁", "the records are destroyed after their time"),
    },
    ends=frozenset({"CLOSED"}),
    parties=_parties,
    transitions=(
        Transition(
            "open",
            (NEW,),
            "OPEN",
            (BY_CONSEQUENCE,),
            "2025:29",
            "建立使用记录",
            "open the use file with the grant",
            form=UseFile,
        ),
        *(
            Transition(
                "record_use",
                (state,),
                state,
                (REQUESTER,),
                "2025:29",
                "登记使用记录",
                "record a stretch of use",
                form=UseRecord,
            )
            for state in ("OPEN", "KEPT")
        ),
        *(
            Transition(
                "report_effect",
                (state,),
                state,
                (REQUESTER,),
                "50, 2025:29",
                "成效反馈",
                "report what the data were good for",
                form=EffectReport,
            )
            for state in ("OPEN", "KEPT")
        ),
        *(
            Transition(
                "inspect",
                (state,),
                state,
                (PROVIDER, AUTHORITY, SUPERVISION),
                "51, 2025:27",
                "检查使用情况",
                "inspect the use",
                form=Inspection,
                effects=(_suspend_if_over_scope,),
            )
            for state in ("OPEN", "KEPT")
        ),
        Transition(
            "use_over",
            ("OPEN",),
            "KEPT",
            (BY_CONSEQUENCE,),
            "2025:29",
            "使用结束",
            "use is over with the grant",
            form=UseOver,
        ),
        Transition(
            "dispose_records",
            ("KEPT",),
            "CLOSED",
            (REQUESTER,),
            "2025:29",
            "期满销毁记录",
            "destroy the records after their time",
            form=RecordsDisposed,
            guards=(_kept_long_enough,),
        ),
    ),
)
