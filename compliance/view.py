"""The register as it is known now: agencies, catalogue versions, reviews, grants, by look-up."""

from compliance.models import Agency, CatalogueEntry, Grant, RegisterModel, SecrecyReview


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

    def apply(self, kind: str, key: str, model: RegisterModel | None) -> None:
        """Take over one change; None removes the entry of that key.

        Raises:
            KeyError: the register has no such kind.
        """
        self.version += 1
        if kind == CatalogueEntry.kind:
            self._apply_entry(key, model)
            return
        table: dict[str, RegisterModel] = {
            Agency.kind: self._agencies,
            SecrecyReview.kind: self._reviews,
            Grant.kind: self._grants,
        }[kind]  # type: ignore[assignment]  # each table holds its own kind only
        if model is None:
            table.pop(key, None)
        else:
            table[key] = model

    def _apply_entry(self, key: str, model: RegisterModel | None) -> None:
        resource, _, number = key.partition("@")
        versions = self._entries.setdefault(resource, {})
        if isinstance(model, CatalogueEntry):
            versions[model.version] = model
        else:
            versions.pop(int(number), None)
        if versions:
            self._newest[resource] = versions[max(versions)]
        else:
            self._newest.pop(resource, None)

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
        return tuple(grant for grant in self._grants.values() if grant.resource == resource)

    def grants_of(self, subscriber: str) -> tuple[Grant, ...]:
        """The grants of one subscriber."""
        return tuple(grant for grant in self._grants.values() if grant.subscriber == subscriber)
