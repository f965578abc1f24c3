"""The forms of the catalogue procedure (Art 12, 14, 39, 40): who fills in what on the way of an entry."""

from pydantic import Field

from compliance.entry import CatalogueEntry, LegalBasis, Model
from compliance.values import Day, ResourceCode, Text


class Draft(Model):
    """One version of an entry as the operator compiles it.

    Attributes:
        entry: the version; its instant of publication is set when it is published.
        reason: why there is a new version; a new entry needs none.
        citations: the texts that want it in the catalogue (Art 39).
        origin: the submission, notice or application that it comes from.
    """

    entry: CatalogueEntry
    reason: Text | None = None
    citations: tuple[LegalBasis, ...] = ()
    origin: Text | None = None


class Retirement(Model):
    """That an entry leaves the catalogue, which goes the same way as its coming (Art 40)."""

    resource: ResourceCode
    reason: Text
    document: Text


class Cosignature(Model):
    """The staffing office's co-signature 编办会签 under a baseline entry (Art 12)."""

    document: Text
    signed_on: Day


class Verification(Model):
    """What the authority says after it verified the draft 核实."""

    opinion: Text
    document: Text | None = None


class Approval(Model):
    """The government's approval 批准, with its number."""

    approval_number: Text
    approved_on: Day
    document: Text | None = None


class Publication(Model):
    """The announcement by which the entry is published 公布."""

    document: Text


class Return(Model):
    """Why a draft goes back: everything that is wrong with it, told at once."""

    defects: tuple[Text, ...] = Field(min_length=1)


class Dropping(Model):
    """Why a draft is given up."""

    reason: Text


class Adjustment(Model):
    """The next version of an entry, with other attributes than items, content and owner (Art 14).

    `notice` is the change notice that it follows.
    """

    entry: CatalogueEntry
    reason: Text
    notice: Text | None = None
