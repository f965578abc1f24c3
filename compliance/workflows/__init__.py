"""Every workflow of the regulation, a table a file; `WORKFLOWS` is the list that all else derives from."""

from compliance.workflow import Workflow
from compliance.workflows.annual_report import ANNUAL_REPORT
from compliance.workflows.complaint import COMPLAINT
from compliance.workflows.data_case import DATA_CASE
from compliance.workflows.drill import DRILL
from compliance.workflows.evidence import EVIDENCE
from compliance.workflows.incident import INCIDENT
from compliance.workflows.liability import LIABILITY
from compliance.workflows.outage import OUTAGE
from schemas.errors import UsageError

WORKFLOWS: dict[str, Workflow] = {
    table.code: table
    for table in (
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
