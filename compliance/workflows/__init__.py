"""Every workflow of the regulation, a table a file; `WORKFLOWS` is the list that all else derives from."""

from compliance.workflow import Workflow
from compliance.workflows.catalogue import CATALOGUE
from compliance.workflows.change_notice import CHANGE_NOTICE
from compliance.workflows.complaint import COMPLAINT
from compliance.workflows.contact_change import CONTACT_CHANGE
from compliance.workflows.onboarding import ONBOARDING
from compliance.workflows.sub_catalogue import SUB_CATALOGUE
from schemas.errors import UsageError

WORKFLOWS: dict[str, Workflow] = {
    table.code: table for table in (COMPLAINT, ONBOARDING, CONTACT_CHANGE, CATALOGUE, CHANGE_NOTICE, SUB_CATALOGUE)
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
