"""A notice in words, in Chinese and in English, and as JSON: closed sentences, codes and times in Huizhou."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from compliance.catalogue import SHANGHAI, clock
from compliance.clocks import packaged_profile, packaged_profiles
from compliance.contacts import CONTACT_NAMES
from compliance.models import ContactRole
from compliance.notice_kinds import LEVEL_NAMES, RULES, WITHDRAWN
from compliance.notices import Notice, Recipient, shown
from compliance.roles import ROLE_NAMES

_MINUTES = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What people read: subjects of one line, bodies of several."""

    subject_zh: str
    subject_en: str
    body_zh: str
    body_en: str


def text_of(notice: Notice) -> NoticeText:
    """The notice in both languages, each line one fact."""
    rule, cause = RULES[notice.cause.kind], notice.cause
    level_zh, level_en = WITHDRAWN if notice.withdraws else LEVEL_NAMES[notice.level]
    about = shown(cause.agency or cause.source or "")
    subject_zh = f"[交换平台] {level_zh}：{rule.sentence_zh}" + (f"（{about}）" if about else "")
    subject_en = f"[exchange bus] {level_en}: {rule.sentence_en}" + (f" ({about})" if about else "")
    rows = _rows(notice)
    return NoticeText(
        subject_zh,
        subject_en,
        "\n".join(f"{zh}：{value_zh}" for zh, _, value_zh, _ in rows),
        "\n".join(f"{en}: {value_en}" for _, en, _, value_en in rows),
    )


def recipient_names(to: Recipient) -> tuple[str, str]:
    """The role in both languages."""
    return CONTACT_NAMES[to.role] if isinstance(to.role, ContactRole) else ROLE_NAMES[to.role]


def as_json(notice: Notice) -> dict[str, Any]:
    """The notice for programs: one flat object, texts included."""
    cause, text = notice.cause, text_of(notice)
    return {
        "id": str(notice.id),
        "cause": str(cause.id),
        "kind": cause.kind.value,
        "level": notice.level.value,
        "urgency": cause.urgency.value,
        "advisory": cause.advisory,
        "withdraws": None if notice.withdraws is None else str(notice.withdraws),
        "to": {
            "role": notice.to.role.value,
            "agency": _shown(notice.to.agency),
            "division": notice.to.division,
            "instead_of": None if notice.to.instead_of is None else notice.to.instead_of.value,
        },
        "agency": _shown(cause.agency),
        "source": _shown(cause.source),
        "resource": _shown(cause.resource),
        "group": _shown(cause.group),
        "quarter": cause.quarter,
        "matter": cause.matter,
        "clock": cause.clock,
        "profile": cause.profile,
        "article": cause.article or RULES[cause.kind].article,
        "role": None if cause.role is None else cause.role.value,
        "year": cause.year,
        "alarm": None if cause.reference is None else str(cause.reference),
        "since": clock(cause.since),
        "due": None if cause.due is None else cause.due.isoformat(),
        "page": RULES[cause.kind].page,
        "subject_zh": text.subject_zh,
        "subject_en": text.subject_en,
        "body_zh": text.body_zh,
        "body_en": text.body_en,
    }


def _rows(notice: Notice) -> list[tuple[str, str, str, str]]:
    rule, cause = RULES[notice.cause.kind], notice.cause
    to_zh, to_en = recipient_names(notice.to)
    article, profile = cause.article or rule.article, cause.profile
    law = f" ({profile})" if profile else ""
    rows = [("收件", "to", to_zh, to_en), ("事由", "what", rule.sentence_zh, rule.sentence_en)]
    if notice.to.instead_of is not None:
        vacant_zh, vacant_en = CONTACT_NAMES[notice.to.instead_of]
        rows.append(("代收", "instead of", f"{vacant_zh}（空缺）", f"{vacant_en}, which nobody fills"))
    if cause.clock is not None:
        rows.append(("时限", "deadline", *_titles().get((profile or "", cause.clock), (cause.clock, cause.clock))))
    if cause.role is not None:
        rows.append(("人员", "role", *CONTACT_NAMES[cause.role]))
    same = (
        ("单位", "agency", cause.agency or cause.source),
        ("资源", "resource", cause.resource),
        ("字段组", "group of fields", cause.group),
        ("季度", "quarter", cause.quarter),
        ("件", "matter", cause.matter),
        ("年度", "year", None if cause.year is None else str(cause.year)),
        ("起始", "since", cause.since.astimezone(SHANGHAI).strftime(_MINUTES)),
        ("期限", "due", None if cause.due is None else cause.due.isoformat()),
    )
    rows += [(zh, en, shown(value), shown(value)) for zh, en, value in same if value is not None]
    rows.append(("依据", "article", f"第{article}条{law}", f"Art {article}{law}"))
    if cause.advisory:
        rows.append(("效力", "effect", "仅为提示", "advises only"))
    if notice.withdraws is None:
        rows.append(("办理", "to do", f"{rule.todo_zh}（{rule.page}）", f"{rule.todo_en} ({rule.page})"))
    else:
        rows.append(("撤回", "withdraws", str(notice.withdraws), str(notice.withdraws)))
    rows.append(("编号", "id", str(notice.id), str(notice.id)))
    return rows


def _shown(code: str | None) -> str | None:
    return None if code is None else shown(code)


@cache
def _titles() -> dict[tuple[str, str], tuple[str, str]]:
    """Every clock's title by profile and id."""
    return {
        (profile.id, rule.id): (rule.title_zh, rule.title_en)
        for profile in map(packaged_profile, packaged_profiles())
        for rule in profile.clocks
    }
