"""What open cases about data mean for a delivery: which fields of which subject are disputed (decisions 36)."""

from compliance.workflow import Matter, Matters
from compliance.workflows.data_case import CODE, OPEN_STATES
from compliance.workflows.data_case_rules import current


def token_of(matter: Matter) -> str | None:
    """The subject of a case, in hexadecimal: as the operator located it, else as it was filed."""
    return matter.fact("locate", "token") or matter.parties.subject


def flagged(others: Matters) -> dict[tuple[str, str], frozenset[str]]:
    """The disputed fields by resource and token, of every case that is not closed.

    A case without a token, about a resource's format or a subject that is not located yet, flags nothing.
    """
    found: dict[tuple[str, str], frozenset[str]] = {}
    for matter in others.matters(CODE, states=OPEN_STATES):
        token, resource = token_of(matter), matter.parties.resource
        if token is None or resource is None:
            continue
        fields = frozenset(current(matter, "fields") or ())
        if fields:
            key = (resource, token)
            found[key] = found.get(key, frozenset()) | fields
    return found
