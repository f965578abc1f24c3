"""The forms of a dispute: what it is about, opinions, the published result, the petition, the government's decision."""

from typing import Literal

from compliance.entry import Model
from compliance.values import AgencyCode, Day, ResourceCode, Text


class FiledDispute(Model):
    """A dispute on catalogue, supply or use that an agency brings to the authority (Art 57)."""

    kind: Literal["CATALOGUE", "SUPPLY", "USE"]
    against: AgencyCode
    resource: ResourceCode | None = None
    statement: Text
    documents: tuple[Text, ...] = ()


class ItemDispute(Model):
    """A dispute that an item of an application led to.

    Attributes:
        conditional: whether Article 45 governs the item, so that legal office, secrecy office and supervision are heard.
        cause: what led to it.
    """

    requester: AgencyCode
    provider: AgencyCode
    resource: ResourceCode | None = None
    conditional: bool
    cause: Literal["SILENCE", "REFUSED", "CONTESTED", "REPLACEMENT_DECLINED"]
    statement: Text | None = None


class Opinion(Model):
    """A written opinion of one office."""

    opinion: Literal["SHARE", "SHARE_IN_PART", "NOT_SHARE"]
    statement: Text
    document: Text


class Result(Model):
    """The result of the negotiation, or of the joint review, as it is published on the platform.

    Attributes:
        outcome: SHARE: both agree to share as asked. OTHERWISE: both agree on something else. UNSOLVED: no agreement.
    """

    outcome: Literal["SHARE", "OTHERWISE", "UNSOLVED"]
    summary: Text
    document: Text
    published_on: Day


class Petition(Model):
    """A party asks the government in writing to decide."""

    statement: Text
    document: Text


class Order(Model):
    """The government's decision that it is to be shared; the provider's days count from it."""

    number: Text
    decided_on: Day
    document: Text


class Finding(Model):
    """The authority finds that a provider defies the government's decision."""

    found_on: Day
    statement: Text
    document: Text
