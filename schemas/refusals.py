"""Why the bus says no: a closed set of codes, each with its article and one sentence in Chinese and English.

The same sentence stands in receipts, refusal events, the command line and the audit. A refusal names a field and a
rule, never a value: a value may be an identity number (Art 47).
"""

from dataclasses import dataclass
from enum import StrEnum


class RefusalCode(StrEnum):
    """The closed set of refusal codes; a metric label, so it never grows from input."""

    E_SIGNATURE = "E_SIGNATURE"
    E_ROUTE = "E_ROUTE"
    E_NOT_ONBOARDED = "E_NOT_ONBOARDED"
    E_NOT_IN_CATALOGUE = "E_NOT_IN_CATALOGUE"
    E_VERSION = "E_VERSION"
    E_OWNER = "E_OWNER"
    E_SECRECY_REVIEW = "E_SECRECY_REVIEW"
    E_STATE_SECRET = "E_STATE_SECRET"
    E_SCHEMA = "E_SCHEMA"
    E_CODE = "E_CODE"
    E_DUPLICATE = "E_DUPLICATE"
    E_NO_KEY = "E_NO_KEY"
    E_ID_INVALID = "E_ID_INVALID"
    E_LINK = "E_LINK"
    E_NO_GRANT = "E_NO_GRANT"
    E_GRANT_EXPIRED = "E_GRANT_EXPIRED"
    E_NO_AGREEMENT = "E_NO_AGREEMENT"
    E_FIELD_NOT_GRANTED = "E_FIELD_NOT_GRANTED"
    E_NO_LEGAL_BASIS = "E_NO_LEGAL_BASIS"
    E_PURPOSE = "E_PURPOSE"
    E_ONWARD = "E_ONWARD"
    E_CLASS = "E_CLASS"
    E_PRICE = "E_PRICE"
    E_NO_REASON = "E_NO_REASON"
    E_SANCTIONED = "E_SANCTIONED"
    E_ROLE = "E_ROLE"
    E_STATE = "E_STATE"
    E_FORM = "E_FORM"
    E_CONFLICT = "E_CONFLICT"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule behind a code: article of the regulation and the sentence, in Chinese and English."""

    article: str
    zh: str
    en: str


RULES: dict[RefusalCode, Rule] = {
    RefusalCode.E_SIGNATURE: Rule(
        "47", "报送未经本单位有效数字证书签名", "the submission is not signed by a valid certificate of its agency"
    ),
    RefusalCode.E_ROUTE: Rule(
        "15", "报送内容与所在主题的单位或资源不一致", "the submission names another agency or resource than its topic"
    ),
    RefusalCode.E_NOT_ONBOARDED: Rule(
        "10, 43", "单位尚未完成接入或三类责任人不全", "the agency is not connected or lacks its three named persons"
    ),
    RefusalCode.E_NOT_IN_CATALOGUE: Rule(
        "15, 39", "该资源不在现行共享目录内", "the resource has no active entry in the catalogue"
    ),
    RefusalCode.E_VERSION: Rule(
        "14", "所引目录版本未知或已过宽限期", "the cited catalogue version is unknown or past its grace"
    ),
    RefusalCode.E_OWNER: Rule(
        "5, 11", "报送单位不是该数据的责任采集部门", "the agency is not the responsible owner of this datum"
    ),
    RefusalCode.E_SECRECY_REVIEW: Rule(
        "15", "未引用有效的保密审查", "no secrecy review that is valid for this agency and resource is cited"
    ),
    RefusalCode.E_STATE_SECRET: Rule(
        "15", "密级不是非密，不得上平台", "the classification is not non-secret; such data may not enter the bus"
    ),
    RefusalCode.E_SCHEMA: Rule("38", "数据不符合该资源的结构", "the data do not obey the resource's schema"),
    RefusalCode.E_CODE: Rule("38", "代码不在代码表内", "the code is not in its code list"),
    RefusalCode.E_DUPLICATE: Rule(
        "11", "同一报送内事件标识重复", "the event id occurs more than once in the submission"
    ),
    RefusalCode.E_NO_KEY: Rule(
        "15", "缺少法定标识，无法确定主体", "the statutory identifier that keys the subject is missing"
    ),
    RefusalCode.E_ID_INVALID: Rule(
        "15", "法定标识号码无效", "the statutory identifier is not a valid number of its kind"
    ),
    RefusalCode.E_LINK: Rule(
        "15", "身份关联与自身或已有关联矛盾", "the identity link contradicts itself or one that stands"
    ),
    RefusalCode.E_NO_GRANT: Rule("4, 44, 45", "没有生效的授权", "there is no active grant"),
    RefusalCode.E_GRANT_EXPIRED: Rule("39, 48", "授权已到期或尚未生效", "the grant is outside its period of validity"),
    RefusalCode.E_NO_AGREEMENT: Rule(
        "48",
        "条件共享或不予共享信息缺少有效的安全保密协议",
        "conditional or not-shared fields lack a signed agreement in force",
    ),
    RefusalCode.E_FIELD_NOT_GRANTED: Rule(
        "4, 45", "授权所列字段不在目录内或不予共享", "a field of the grant is not in the catalogue or is not shared"
    ),
    RefusalCode.E_NO_LEGAL_BASIS: Rule("44", "缺少法定依据", "the statutory basis is missing"),
    RefusalCode.E_PURPOSE: Rule("6, 48", "用途与授权用途不一致", "the purpose is not the one that was granted"),
    RefusalCode.E_ONWARD: Rule(
        "6, 48", "不得将所获信息转供他人", "what was received under a grant may not be passed on"
    ),
    RefusalCode.E_CLASS: Rule("4", "共享类别不合规定", "the sharing class is not one that the rules allow here"),
    RefusalCode.E_PRICE: Rule("17", "信息共享不得收费", "sharing is free of charge"),
    RefusalCode.E_NO_REASON: Rule(
        "45", "不同意共享未说明理由、依据或未附材料", "the refusal lacks its reason, legal citation or document"
    ),
    RefusalCode.E_SANCTIONED: Rule(
        "44",
        "该单位当年度政府投资信息化项目不予受理",
        "the agency's government-funded projects of that year are not accepted",
    ),
    RefusalCode.E_ROLE: Rule("8, 9, 39", "该角色无权办理此事项", "the role may not take this action"),
    RefusalCode.E_STATE: Rule("39, 44", "当前状态下不能办理此事项", "the action is not possible in this state"),
    RefusalCode.E_FORM: Rule("45", "所填内容不完整或不合规定", "what was filled in is incomplete or wrong"),
    RefusalCode.E_CONFLICT: Rule("39, 44", "该事项已由他人先行办理", "somebody else has acted on this matter first"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision that says no.

    Attributes:
        code: which rule.
        detail: what exactly, in English, naming fields and rules but never a value.
        field: the field concerned, if one.
        cited: the article that the refused action itself rests on, where that says more than the code's own.
    """

    code: RefusalCode
    detail: str = ""
    field: str | None = None
    cited: str | None = None

    @property
    def article(self) -> str:
        """Article numbers of the regulation that the rule rests on."""
        return self.cited or RULES[self.code].article

    @property
    def reason_zh(self) -> str:
        """The one sentence, in Chinese, with the field if there is one."""
        sentence = RULES[self.code].zh
        return f"{sentence}（{self.field}）" if self.field else sentence

    @property
    def reason_en(self) -> str:
        """The one sentence, in English, with the field and the detail where there are any."""
        sentence = RULES[self.code].en
        if self.field:
            sentence = f"{sentence} ({self.field})"
        return f"{sentence}: {self.detail}" if self.detail else sentence
