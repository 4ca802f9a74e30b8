"""Roles are groups: administrator, editor and viewer, made and kept complete by `manage.py create_roles`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet

from crm_integrations.models import User
from crm_integrations.permissions import RESOURCES

MOST_NAMES = 3  # administrators named on the 403 page


class Role(StrEnum):
    """Names of the groups; keys stay English."""

    ADMINISTRATOR = "administrator"
    EDITOR = "editor"
    VIEWER = "viewer"


ACTIONS = {Role.EDITOR: ("view", "add", "change"), Role.VIEWER: ("view",)}


@dataclass(frozen=True)
class RoleResult:
    """What `create_roles` did for one role."""

    role: Role
    is_new: bool
    permissions_added: int
    permissions_removed: int


@transaction.atomic
def create_roles() -> list[RoleResult]:
    """Make the three groups hold exactly their permissions; running it again changes nothing."""
    results = [_create_role(role) for role in Role]
    mark_administrators_as_staff(users=User.objects.all())
    return results


def assign_role(*, user: User, role: Role) -> None:
    """Give the user this role alone; only administrators reach the raw tables of /admin/."""
    with transaction.atomic():
        user.groups.remove(*Group.objects.filter(name__in=list(Role)).exclude(name=role))
        user.groups.add(Group.objects.get(name=role))
        is_staff = role == Role.ADMINISTRATOR or user.is_superuser
        User.objects.filter(pk=user.pk).update(is_staff=is_staff)
        user.is_staff = is_staff


def mark_administrators_as_staff(*, users: QuerySet[User]) -> int:
    """Open /admin/ for those of `users` who became administrators by way of their group; returns how many."""
    members = users.filter(groups__name=Role.ADMINISTRATOR, is_staff=False).values("pk")
    return User.objects.filter(pk__in=members).update(is_staff=True)


def administrator_names() -> list[str]:
    """A few people who can grant permissions, as one would address them."""
    who = Q(groups__name=Role.ADMINISTRATOR) | Q(is_superuser=True)
    people = User.objects.filter(who, is_active=True).distinct().order_by("username")[:MOST_NAMES]
    return [person.get_full_name() or person.get_username() for person in people]


def _create_role(role: Role) -> RoleResult:
    group, is_new = Group.objects.get_or_create(name=role)
    wanted = set(_permissions(role))
    held = set(group.permissions.all())
    group.permissions.add(*(wanted - held))
    group.permissions.remove(*(held - wanted))
    return RoleResult(role, is_new, len(wanted - held), len(held - wanted))


def _permissions(role: Role) -> Iterable[Permission]:
    if role == Role.ADMINISTRATOR:
        return Permission.objects.all()
    names = [resource.format(action=action) for resource in RESOURCES for action in ACTIONS[role]]
    wanted = Q()
    for name in names:
        app_label, _dot, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return Permission.objects.filter(wanted)
