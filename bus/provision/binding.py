"""Rights in Kafka's own words, and back."""

from confluent_kafka.admin._acl import (  # their public home re-exports them without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
)
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType  # as above

from bus.provision.rights import Right

_Pattern = tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]


def everything() -> AclBindingFilter:
    """A filter that meets every access rule."""
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # None is the client's documented word for any
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]  # as above
        None,  # type: ignore[arg-type]  # as above
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def right_of(binding: AclBinding) -> Right:
    """Kafka's access rule as a plain value."""
    return Right(
        principal=binding.principal,
        kind=ResourceType(binding.restype).name,
        name=binding.name,
        operation=AclOperation(binding.operation).name,
        prefixed=binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        host=binding.host,
        permission=AclPermissionType(binding.permission_type).name,
    )


def binding_of(right: Right) -> AclBinding:
    """A plain value as Kafka's access rule."""
    return AclBinding(*_pattern_of(right))


def filter_of(right: Right) -> AclBindingFilter:
    """A filter that meets this very access rule and no other."""
    return AclBindingFilter(*_pattern_of(right))


def _pattern_of(right: Right) -> _Pattern:
    return (
        ResourceType[right.kind],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        right.principal,
        right.host,
        AclOperation[right.operation],
        AclPermissionType[right.permission],
    )
