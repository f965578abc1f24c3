"""How far Kafka's access rules are from those that the register asks for (Art 7, 10), as figures for operators."""

from collections.abc import Set as AbstractSet

from bus.provision.rights import Right

KINDS = ("MISSING", "SURPLUS", "FOREIGN")


def rights_drift(wanted: AbstractSet[Right], there: AbstractSet[Right]) -> dict[str, int]:
    """How many rules are not there, are there without the register asking for them, and are of no principal of the bus.

    Args:
        wanted: what follows from the register.
        there: what Kafka has.

    Returns:
        By kind, each of `KINDS`. `bus init` mends the first two; the last it only names.
    """
    further = there - wanted
    surplus = sum(right.managed for right in further)
    return {"MISSING": len(wanted - there), "SURPLUS": surplus, "FOREIGN": len(further) - surplus}
