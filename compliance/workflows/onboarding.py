"""First connection 首次接入 (Art 2, 10, 43): applied, checked, connected; then certificates, vacancies, the kill switch.

Credentials are worth something from CONNECTED on alone. A named person who leaves later alarms and does not stop the
flow (decisions 40); the kill switch for each agency is an assumption (Art 49).
"""

from compliance.models import OnboardingState
from compliance.roles import AUTHORITY, OPERATOR, UNIT, UNIT_ANYBODY, Actor, By, Role
from compliance.view import RegisterView
from compliance.workflow import NEW, Choice, Parties, Transition, Workflow
from compliance.workflows.onboarding_forms import (
    Adoption,
    Application,
    Check,
    Connection,
    Disconnection,
    NewCertificate,
    Resumption,
    Return,
    Revocation,
    Suspension,
    Vacancy,
)
from compliance.workflows.onboarding_rules import (
    certificate_on_file,
    handler_named,
    known_and_connected,
    may_sign,
    named_before,
    new_certificate,
    not_registered,
    nothing_left,
    put_applied,
    put_certificate,
    put_revoked,
    put_state,
    put_vacancy,
    same_agency,
    three_named,
)

SECURITY = By(frozenset({Role.SECURITY_ADMINISTRATOR}))


def _parties(form: Application | Adoption, actor: Actor, view: RegisterView) -> Parties:
    del actor
    if isinstance(form, Application):
        return Parties(form.division, unit=form.code)
    agency = view.agency(form.code)
    return Parties("" if agency is None else agency.division, unit=form.code)


_AS_IT_WAS = Choice(((lambda context: context.matter.state == "SUSPENDED", "SUSPENDED"),), "CONNECTED")
_CONNECTED = ("CONNECTED",)
_CONNECTED_OR_CUT = ("CONNECTED", "SUSPENDED")

ONBOARDING = Workflow(
    code="onboarding",
    prefix="ONB",
    zh="首次接入",
    en="first connection",
    articles="2, 10, 43",
    states={
        "APPLIED": ("已申请", "applied"),
        "RETURNED": ("已退回补正", "returned, to be completed"),
        "CHECKED": ("已核验", "checked"),
        "CONNECTED": ("已接入", "connected"),
        "SUSPENDED": ("已暂停接入", "cut off for the time being"),
        "DISCONNECTED": ("已退出", "disconnected for good"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"DISCONNECTED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "apply",
            (NEW,),
            "APPLIED",
            (UNIT,),
            "43",
            "申请接入",
            "apply for the connection",
            form=Application,
            guards=(not_registered,),
            effects=(put_applied,),
        ),
        Transition(
            "adopt",
            (NEW,),
            "CONNECTED",
            (OPERATOR,),
            "43",
            "登记已接入单位",
            "take an agency on file that was connected before",
            form=Adoption,
            guards=(known_and_connected,),
        ),
        Transition(
            "return",
            ("APPLIED", "CHECKED"),
            "RETURNED",
            (OPERATOR,),
            "43",
            "退回补正",
            "return it, with all that is missing",
            form=Return,
        ),
        Transition(
            "resubmit",
            ("RETURNED",),
            "APPLIED",
            (UNIT,),
            "43",
            "补正后重新申请",
            "apply again, completed",
            form=Application,
            guards=(same_agency, not_registered),
            effects=(put_applied,),
        ),
        Transition(
            "withdraw",
            ("APPLIED", "RETURNED"),
            "WITHDRAWN",
            (UNIT,),
            "43",
            "撤回申请",
            "withdraw the application",
            effects=(put_state(OnboardingState.DISCONNECTED),),
        ),
        Transition(
            "check",
            ("APPLIED",),
            "CHECKED",
            (OPERATOR,),
            "10, 43",
            "核验责任人、网络和接口",
            "check named persons, network line and interface",
            form=Check,
            guards=(three_named, handler_named),
            effects=(put_state(OnboardingState.CHECKED),),
        ),
        Transition(
            "connect",
            ("CHECKED",),
            "CONNECTED",
            (OPERATOR,),
            "43",
            "办结接入",
            "connect",
            form=Connection,
            guards=(three_named, may_sign),
            effects=(put_state(OnboardingState.CONNECTED),),
        ),
        Transition(
            "add_certificate",
            _CONNECTED_OR_CUT,
            _AS_IT_WAS,
            (OPERATOR,),
            "47",
            "登记新的签名证书",
            "put a further signing certificate on file",
            form=NewCertificate,
            guards=(new_certificate,),
            effects=(put_certificate,),
        ),
        Transition(
            "revoke_certificate",
            _CONNECTED_OR_CUT,
            _AS_IT_WAS,
            (UNIT_ANYBODY, OPERATOR, SECURITY),
            "47",
            "吊销签名证书",
            "revoke a signing certificate",
            form=Revocation,
            guards=(certificate_on_file,),
            effects=(put_revoked,),
        ),
        Transition(
            "report_vacancy",
            _CONNECTED,
            "CONNECTED",
            (UNIT_ANYBODY, OPERATOR, AUTHORITY),
            "10, 43",
            "登记责任人空缺",
            "note that a named person has left",
            form=Vacancy,
            guards=(named_before,),
            effects=(put_vacancy,),
        ),
        Transition(
            "suspend",
            _CONNECTED,
            "SUSPENDED",
            (AUTHORITY, OPERATOR, SECURITY),
            "49",
            "暂停接入",
            "cut the agency off (assumption)",
            form=Suspension,
            effects=(put_state(OnboardingState.SUSPENDED),),
        ),
        Transition(
            "resume",
            ("SUSPENDED",),
            "CONNECTED",
            (AUTHORITY,),
            "49",
            "恢复接入",
            "let the agency go on (assumption)",
            form=Resumption,
            guards=(may_sign,),
            effects=(put_state(OnboardingState.CONNECTED),),
        ),
        Transition(
            "disconnect",
            _CONNECTED_OR_CUT,
            "DISCONNECTED",
            (AUTHORITY,),
            "10",
            "退出共享平台",
            "disconnect the agency for good",
            form=Disconnection,
            guards=(nothing_left,),
            effects=(put_state(OnboardingState.DISCONNECTED),),
        ),
    ),
)
