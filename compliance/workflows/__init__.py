"""Every workflow of the regulation, a table a file; `WORKFLOWS` is the list that all else derives from."""

from compliance.workflow import Workflow
from compliance.workflows.agreement import AGREEMENT
from compliance.workflows.annual_report import ANNUAL_REPORT
from compliance.workflows.application import APPLICATION
from compliance.workflows.application_item import APPLICATION_ITEM
from compliance.workflows.catalogue import CATALOGUE
from compliance.workflows.change_notice import CHANGE_NOTICE
from compliance.workflows.complaint import COMPLAINT
from compliance.workflows.contact_change import CONTACT_CHANGE
from compliance.workflows.data_case import DATA_CASE
from compliance.workflows.dispute import DISPUTE
from compliance.workflows.drill import DRILL
from compliance.workflows.effect_report import EFFECT_REPORT
from compliance.workflows.evidence import EVIDENCE
from compliance.workflows.forwarding import FORWARDING
from compliance.workflows.grant import GRANT
from compliance.workflows.incident import INCIDENT
from compliance.workflows.legacy_exchange import LEGACY_EXCHANGE
from compliance.workflows.liability import LIABILITY
from compliance.workflows.mandatory_item import MANDATORY_ITEM
from compliance.workflows.onboarding import ONBOARDING
from compliance.workflows.outage import OUTAGE
from compliance.workflows.project import PROJECT
from compliance.workflows.sanction import SANCTION
from compliance.workflows.secrecy_review import SECRECY_REVIEW
from compliance.workflows.sub_catalogue import SUB_CATALOGUE
from schemas.errors import UsageError

WORKFLOWS: dict[str, Workflow] = {
    table.code: table
    for table in (
        ONBOARDING,
        CONTACT_CHANGE,
        CATALOGUE,
        CHANGE_NOTICE,
        SUB_CATALOGUE,
        MANDATORY_ITEM,
        SECRECY_REVIEW,
        LEGACY_EXCHANGE,
        PROJECT,
        APPLICATION,
        APPLICATION_ITEM,
        FORWARDING,
        GRANT,
        AGREEMENT,
        EFFECT_REPORT,
        DISPUTE,
        SANCTION,
        ANNUAL_REPORT,
        COMPLAINT,
        DATA_CASE,
        DRILL,
        EVIDENCE,
        INCIDENT,
        LIABILITY,
        OUTAGE,
    )
}


def workflow(code: str) -> Workflow:
    """The table of that code.

    Raises:
        UsageError: there is none; names those that there are.
    """
    found = WORKFLOWS.get(code)
    if found is None:
        raise UsageError(f"there is no workflow {code}; there are: {', '.join(sorted(WORKFLOWS))}")
    return found
