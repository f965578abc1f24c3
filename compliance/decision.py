"""The value of every "yes": what is permitted, under which rule; every "no" is a `Refused`."""

from dataclasses import dataclass

from compliance.models import CatalogueEntry, Grant


@dataclass(frozen=True, slots=True)
class Permitted:
    """A decision that says yes, with what it rests on: an entry alone lets its owner write, a grant lets read."""

    entry: CatalogueEntry
    grant: Grant | None = None

    @property
    def article(self) -> str:
        """Article numbers of the regulation that it rests on."""
        if self.grant is None:
            return "5, 11, 15"
        return "44, 45, 48" if self.grant.agreement is not None else "44, 45"

    @property
    def reason_zh(self) -> str:
        """The one sentence, in Chinese."""
        if self.grant is None:
            return f"该单位是目录第{self.entry.version}版所列责任采集部门，已接入，保密审查有效"
        agreement = f"，安全保密协议{self.grant.agreement.number}生效" if self.grant.agreement is not None else ""
        return f"授权{self.grant.id}生效至{self.grant.valid_until}，有法定依据{agreement}"

    @property
    def reason_en(self) -> str:
        """The one sentence, in English."""
        if self.grant is None:
            return (
                f"the agency is an owner by version {self.entry.version} of the entry, is connected, and its secrecy "
                "review is valid"
            )
        agreement = f", under agreement {self.grant.agreement.number}" if self.grant.agreement is not None else ""
        return f"grant {self.grant.id} is active until {self.grant.valid_until} on its statutory basis{agreement}"
