"""What cross-checks compare of a record, written by hand for the hot path: the codec's own bytes, in fewer steps.

Which digests, conditions and second numbers a record needs is compiled once for each catalogue version; what does not
depend on the row stands ready as bytes. Digests of coded values are remembered, since a list has few; those of names
are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final

from compliance.crosschecks import Side
from processors.crosscheck.facts import DIGEST_BYTES, Digest, FactMaker, HomeToken, is_blank, meets
from schemas.resource import ResourceSchema
from schemas.wire import content, long, text

NOTHING: Final = b"\x00"
"""The null of a record that has nothing to compare."""
_THERE, _END = b"\x02", b"\x00"  # the union's other branch; the block that ends an array or a map
_CODES = 1_024
_SIZE = long(DIGEST_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class FactPlan:
    """Writes what the records of one catalogue version show to cross-checks.

    Attributes:
        begin: the union's branch and the key's id.
        digested: the field, what stands before its digest, and what makes it.
        conditions: what must be looked up in the row, each once.
        sides: every side of the resource, with the place of its condition; None where it always holds.
        numbers: the type and number fields of second identities, and what stands before the token.
        wanted: the fields that the catalogue wants.
        holds: the written array by the conditions that are met; filled as they occur.
    """

    begin: bytes
    digested: tuple[tuple[str, bytes, Digest], ...]
    conditions: tuple[Side, ...]
    sides: tuple[tuple[bytes, int | None], ...]
    numbers: tuple[tuple[str, str, bytes], ...]
    home: HomeToken
    wanted: tuple[str, ...]
    holds: dict[tuple[bool, ...], bytes] = field(default_factory=dict)

    def write(self, data: Mapping[str, Any], on: date) -> bytes:
        """The bytes of a record's last field.

        Args:
            data: the row, with wire values.
            on: the day on which second numbers must make sense.
        """
        digests = []
        for name, head, digest in self.digested:
            value = data.get(name)
            if value is not None:
                made = digest(value)
                if made is not None:
                    digests.append(head + made)
        met = tuple([meets(side, data) for side in self.conditions])
        holds = self.holds.get(met)
        if holds is None:
            holds = self.holds[met] = _block([name for name, at in self.sides if at is None or met[at]])
        missing = [name for name in self.wanted if is_blank(data.get(name))]
        return b"".join(
            (
                self.begin,
                _block(digests),
                holds,
                _block(self._references(data, on)) if self.numbers else _END,
                _block([text(name) for name in missing]) if missing else _END,
            )
        )

    def _references(self, data: Mapping[str, Any], on: date) -> list[bytes]:
        found = []
        for type_field, number_field, head in self.numbers:
            document, number = data.get(type_field), data.get(number_field)
            token = self.home(str(document), str(number), on) if document and number else None
            if token is not None:
                found.append(head + content(token))
        return found


class FactWriter:
    """The plans of all catalogue versions, each compiled at its first record.

    Args:
        maker: the checks and the keys.
    """

    def __init__(self, maker: FactMaker) -> None:
        self._maker = maker
        self._plans: dict[tuple[ResourceSchema, tuple[str, ...]], FactPlan] = {}

    def plan(self, schema: ResourceSchema, wanted: tuple[str, ...]) -> FactPlan:
        """The plan of a schema's records, of which the catalogue wants some fields."""
        found = self._plans.get((schema, wanted))
        if found is None:
            found = self._plans[schema, wanted] = self._compile(schema, wanted)
        return found

    def _compile(self, schema: ResourceSchema, wanted: tuple[str, ...]) -> FactPlan:
        maker, digested = self._maker, []
        for name, at, how in maker.compared_fields(schema):
            digest = maker.digester.by(how)
            if at in schema.fields and schema.fields[at].code_list is not None:
                digest = lru_cache(maxsize=_CODES)(digest)
            digested.append((at, text(f"{name}:{how.value}") + _SIZE, digest))
        conditions: list[Side] = []
        sides: list[tuple[bytes, int | None]] = []
        for name, side in maker.sides:
            if schema.code not in side.resources:
                continue
            if side.where or side.given or side.empty:
                asked = side.model_copy(update={"resources": (schema.code,)})
                if asked not in conditions:
                    conditions.append(asked)
                sides.append((text(name), conditions.index(asked)))
            else:
                sides.append((text(name), None))
        return FactPlan(
            _THERE + text(maker.digester.key_id),
            tuple(digested),
            tuple(conditions),
            tuple(sides),
            tuple((kind, number, text(number)) for kind, number in maker.second_numbers(schema.code)),
            maker.home,
            wanted,
        )


def _block(entries: Sequence[bytes]) -> bytes:
    """An array or a map in one block, of its written entries."""
    return long(len(entries)) + b"".join(entries) + _END if entries else _END
