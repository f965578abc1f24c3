"""Groups of fields 字段组: what is told of a resource is told of its groups too, and a group's own word of it alone.

A record is always the full row. So a publication shows that each group's source is there, and how old the row's data
were; whose fields it changed it does not show. Lateness of a quarter, contradictions and refusals are therefore told at
the resource alone. A word on the whole is a word on each of its parts: an agency that says that everything is supplied
has said it of every field. The other way it is not: all groups together need not be all fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from processors.freshness.state import State
from processors.freshness.words import DeliveryLag, Event, Key


def groups_of(keys: Iterable[Key]) -> Mapping[Key, tuple[Key, ...]]:
    """By resource, the groups that are watched."""
    found: dict[Key, tuple[Key, ...]] = {}
    for key in sorted(keys):
        if key.group:
            found[key.whole] = (*found.get(key.whole, ()), key)
    return found


def parts(event: Event, groups: Mapping[Key, tuple[Key, ...]]) -> tuple[Event, ...]:
    """An event as each that it concerns is told it: the groups first, then who it names.

    A delivery is one of rows, under a grant of its own fields: it concerns no group.
    """
    if isinstance(event, DeliveryLag):
        return (event,)
    return *(replace(event, key=key) for key in groups.get(event.key, ())), event


def born(key: Key, whole: State) -> State:
    """What is known of a group when it is named first: what was said of the whole until then."""
    return State(key, whole.seen, whole.supply, whole.published, whole.sign, whole.complete, whole.declared)
