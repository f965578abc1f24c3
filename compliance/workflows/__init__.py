"""Every workflow of the regulation, a table a file; `WORKFLOWS` is the list that all else derives from."""

from compliance.workflow import Workflow
from compliance.workflows.agreement import AGREEMENT
from compliance.workflows.annual_report import ANNUAL_REPORT
from compliance.workflows.application import APPLICATION
from compliance.workflows.application_item import APPLICATION_ITEM
from compliance.workflows.complaint import COMPLAINT
from compliance.workflows.data_case import DATA_CASE
from compliance.workflows.dispute import DISPUTE
from compliance.workflows.drill import DRILL
from compliance.workflows.effect_report import EFFECT_REPORT
from compliance.workflows.evidence import EVIDENCE
from compliance.workflows.forwarding import FORWARDING
from compliance.workflows.grant import GRANT
from compliance.workflows.incident import INCIDENT
from compliance.workflows.liability import LIABILITY
from compliance.workflows.outage import OUTAGE
from compliance.workflows.sanction import SANCTION
from schemas.errors import UsageError

WORKFLOWS: dict[str, Workflow] = {
    table.code: table
    for table in (
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
