"""The register as it is known now: agencies, catalogue versions, reviews, grants, outages, reckonings, waivers, by look-up."""

from compliance.models import MODELS, Agency, CatalogueEntry, Grant, RegisterModel, SecrecyReview
from compliance.rulings import Outage, Reckoning, Waiver


class RegisterView:
    """A mutable holder that follows the `register.*` topics; every look-up is one dictionary access.

    Attributes:
        version: number of changes applied.
    """

    def __init__(self) -> None:
        self.version = 0
        self._agencies: dict[str, Agency] = {}
        self._entries: dict[str, dict[int, CatalogueEntry]] = {}
        self._newest: dict[str, CatalogueEntry] = {}
        self._reviews: dict[str, SecrecyReview] = {}
        self._grants: dict[str, Grant] = {}
        self._grants_on: dict[str, dict[str, Grant]] = {}
        self._grants_of: dict[str, dict[str, Grant]] = {}
        self._outages: dict[str, Outage] = {}
        self._reckonings: dict[str, Reckoning] = {}
        self._waivers: dict[str, Waiver] = {}

    def copy(self) -> "RegisterView":
        """One that goes its own way from here; the models, which never change, are shared."""
        other = RegisterView()
        other.version = self.version
        other._agencies = dict(self._agencies)
        other._entries = {resource: dict(versions) for resource, versions in self._entries.items()}
        other._newest = dict(self._newest)
        other._reviews = dict(self._reviews)
        other._grants = dict(self._grants)
        other._grants_on = {resource: dict(grants) for resource, grants in self._grants_on.items()}
        other._grants_of = {agency: dict(grants) for agency, grants in self._grants_of.items()}
        other._outages = dict(self._outages)
        other._reckonings = dict(self._reckonings)
        other._waivers = dict(self._waivers)
        return other

    def apply(self, kind: str, key: str, model: RegisterModel | None) -> None:
        """Take over one change; None removes the entry of that key.

        Raises:
            KeyError: the register has no such kind.
        """
        if kind not in MODELS:
            raise KeyError(f"the register has no kind {kind}")
        if model is None:
            self._forget(kind, key)
        elif isinstance(model, CatalogueEntry):
            self._entries.setdefault(model.resource, {})[model.version] = model
            self._choose_newest(model.resource)
        elif isinstance(model, Agency):
            self._agencies[key] = model
        elif isinstance(model, SecrecyReview):
            self._reviews[key] = model
        elif isinstance(model, Outage):
            self._outages[key] = model
        elif isinstance(model, Reckoning):
            self._reckonings[key] = model
        elif isinstance(model, Waiver):
            self._waivers[key] = model
        else:
            self._forget(kind, key)
            self._grants[key] = model
            self._grants_on.setdefault(model.resource, {})[key] = model
            self._grants_of.setdefault(model.subscriber, {})[key] = model
        self.version += 1

    def _forget(self, kind: str, key: str) -> None:
        if kind == Agency.kind:
            self._agencies.pop(key, None)
        elif kind == SecrecyReview.kind:
            self._reviews.pop(key, None)
        elif kind == Outage.kind:
            self._outages.pop(key, None)
        elif kind == Reckoning.kind:
            self._reckonings.pop(key, None)
        elif kind == Waiver.kind:
            self._waivers.pop(key, None)
        elif kind == CatalogueEntry.kind:
            resource, _, number = key.partition("@")
            if number.isdecimal():
                self._entries.get(resource, {}).pop(int(number), None)
                self._choose_newest(resource)
        else:
            old = self._grants.pop(key, None)
            if old is not None:
                del self._grants_on[old.resource][key]
                del self._grants_of[old.subscriber][key]

    def _choose_newest(self, resource: str) -> None:
        versions = self._entries.get(resource)
        if versions:
            self._newest[resource] = versions[max(versions)]
        else:
            self._newest.pop(resource, None)

    def models(self) -> tuple[RegisterModel, ...]:
        """Everything that it holds, every version of every entry, in an order in which nothing precedes its need."""
        entries = (version for resource in self._entries for version in self.versions(resource))
        further: tuple[RegisterModel, ...] = (*self.outages(), *self.reckonings(), *self.waivers())
        return (*self.agencies(), *entries, *self.reviews(), *self.grants(), *further)

    def agency(self, code: str) -> Agency | None:
        """One agency."""
        return self._agencies.get(code)

    def agencies(self) -> tuple[Agency, ...]:
        """All agencies."""
        return tuple(self._agencies.values())

    def entry(self, resource: str) -> CatalogueEntry | None:
        """The newest version of a resource's entry."""
        return self._newest.get(resource)

    def entries(self) -> tuple[CatalogueEntry, ...]:
        """The newest version of every resource's entry."""
        return tuple(self._newest.values())

    def entry_version(self, resource: str, version: int) -> CatalogueEntry | None:
        """One version of an entry; old versions stay readable (Art 14)."""
        return self._entries.get(resource, {}).get(version)

    def versions(self, resource: str) -> tuple[CatalogueEntry, ...]:
        """All versions of an entry, oldest first."""
        known = self._entries.get(resource, {})
        return tuple(known[number] for number in sorted(known))

    def review(self, agency: str, number: str) -> SecrecyReview | None:
        """One secrecy review of an agency."""
        return self._reviews.get(f"{agency}/{number}")

    def reviews(self) -> tuple[SecrecyReview, ...]:
        """All secrecy reviews."""
        return tuple(self._reviews.values())

    def grant(self, grant_id: str) -> Grant | None:
        """One grant."""
        return self._grants.get(grant_id)

    def grants(self) -> tuple[Grant, ...]:
        """All grants, in whatever state."""
        return tuple(self._grants.values())

    def grants_on(self, resource: str) -> tuple[Grant, ...]:
        """The grants on one resource."""
        return tuple(self._grants_on.get(resource, {}).values())

    def grants_of(self, subscriber: str) -> tuple[Grant, ...]:
        """The grants of one subscriber."""
        return tuple(self._grants_of.get(subscriber, {}).values())

    def outage(self, number: str) -> Outage | None:
        """One accepted outage, by the number of its matter."""
        return self._outages.get(number)

    def outages(self) -> tuple[Outage, ...]:
        """The accepted outages of all agencies, those that are over too."""
        return tuple(self._outages.values())

    def reckoning(self, key: str) -> Reckoning | None:
        """One of what changes how deadlines are counted."""
        return self._reckonings.get(key)

    def reckonings(self) -> tuple[Reckoning, ...]:
        """All that changes how deadlines are counted."""
        return tuple(self._reckonings.values())

    def waiver(self, pair: str, compared: str) -> Waiver | None:
        """What was decided of a pair as it was compared then."""
        return self._waivers.get(f"{pair}.{compared}")

    def waivers(self) -> tuple[Waiver, ...]:
        """The pairs that somebody found to be in order, whatever cross-checks say of them."""
        return tuple(self._waivers.values())
