"""Identity links: which token a subject goes on under, when two statutory numbers mean one subject (Art 15).

A link leads from the token of the number that is given up to the token of the number that stays. Links form chains
(birth certificate, citizen number, corrected number) and, by mistake, cycles; both end at one token, the subject's
*home*, which depends on the set of links alone and never on the order in which they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from processors.keying import TokenKeys, token_of
from schemas.identity import identify
from schemas.refusals import Refused
from schemas.resource import envelope


class Links:
    """The links known so far; one for each token that was given up."""

    def __init__(self) -> None:
        self._targets: dict[bytes, bytes] = {}
        self._sources: dict[bytes, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._targets)

    def put(self, token: bytes, target: bytes) -> None:
        """Take over a link; a later one from the same token takes the place of the earlier."""
        self.drop(token)
        self._targets[token] = target
        self._sources.setdefault(target, set()).add(token)

    def drop(self, token: bytes) -> None:
        """Forget the link from a token, if there is one."""
        target = self._targets.pop(token, None)
        if target is not None:
            self._sources[target].discard(token)

    def target(self, token: bytes) -> bytes | None:
        """Where the link from a token leads, one step; None without a link."""
        return self._targets.get(token)

    def home(self, token: bytes) -> bytes:
        """The token that the subject goes on under: the end of the chain, or the least token of a cycle."""
        following = self._targets.get(token)
        if following is None:
            return token
        passed = [token]
        seen = {token}
        while following is not None and following not in seen:
            passed.append(following)
            seen.add(following)
            following = self._targets.get(following)
        if following is None:
            return passed[-1]
        return min(passed[passed.index(following) :])

    def is_shared(self, token: bytes) -> bool:
        """Whether a token is the home of other tokens besides itself."""
        return bool(self._sources.get(token)) and self.home(token) == token

    def homes(self) -> frozenset[bytes]:
        """Every token that is the home of others."""
        return frozenset(self.home(token) for token in self._targets)

    def to_look_for(self, tokens: Iterable[bytes]) -> frozenset[bytes]:
        """The tokens whose records may stand at the wrong key once these were linked: they, and all that lead to them."""
        found: set[bytes] = set()
        open_ones = [token for token in tokens if token in self._targets]
        while open_ones:
            token = open_ones.pop()
            if token not in found:
                found.add(token)
                open_ones += self._sources.get(token, ())
                # A link that closes a cycle changes the home of every token in it.
                following = self._targets.get(token)
                if following is not None and following in self._targets:
                    open_ones.append(following)
        return frozenset(token for token in found if self.home(token) != token)


@dataclass(frozen=True, slots=True)
class Homes:
    """Answers under which token the subject of any number goes on.

    Args:
        tokens: the token keys in force.
        links: the identity links, kept current by their worker.
    """

    tokens: TokenKeys
    links: Links

    def of(self, document: str, number: str, on: date) -> bytes | None:
        """The home token of a document type and number; None where they identify nobody on that day."""
        found = identify(document, number, on)
        return None if isinstance(found, Refused) else self.links.home(token_of(found, self.tokens))


def link_entry(record: Mapping[str, Any], target: bytes, key_id: str) -> bytes:
    """The bytes of an entry on the topic of links, for a link's record or its change.

    Args:
        record: with `change` and `submission`.
        target: the token that the subject goes on under.
        key_id: of the keys behind the tokens.
    """
    return envelope("link").encode_physical(
        {
            "event_id": record["change"]["event_id"],
            "target": target,
            "token_key": key_id,
            "published_at": record["submission"]["published_at"],
        }
    )
