"""One kind of data mappings as its pages know it: its addresses, and what a person needs to use them."""

from dataclasses import dataclass

from django.utils.functional import Promise

from crm_integrations import permissions


@dataclass(frozen=True, slots=True)
class MappingWords:
    """What the tab says: what these mappings are for, its table's name, and why there is none yet."""

    lead: str | Promise
    table: str | Promise
    nothing_yet: str | Promise
    no_account: str | Promise


@dataclass(frozen=True, slots=True)
class MappingKind:
    """`prefix` starts the names of its addresses; `resource` is the pattern of its permissions."""

    label: str | Promise  # of its tab
    prefix: str
    resource: str
    has_versions: bool = False

    def url_name(self, page: str) -> str:
        """The name of an address: `memorialization_mapping_list`."""
        return f"{self.prefix}_{page}"

    @property
    def list_url(self) -> str:
        """The tab."""
        return self.url_name("list")

    @property
    def create_url(self) -> str:
        """The editor of a new mapping."""
        return self.url_name("create")

    @property
    def edit_url(self) -> str:
        """The editor of one."""
        return self.url_name("edit")

    @property
    def versions_url(self) -> str:
        """What it says and said; "" for kinds that keep no versions."""
        return self.url_name("versions") if self.has_versions else ""

    @property
    def switch_url(self) -> str:
        """Activate, deactivate."""
        return self.url_name("switch")

    @property
    def duplicate_url(self) -> str:
        """Copy."""
        return self.url_name("duplicate")

    @property
    def delete_url(self) -> str:
        """Delete, with a question."""
        return self.url_name("delete")

    @property
    def view_permissions(self) -> tuple[str, ...]:
        """What opens the tab."""
        return (permissions.VIEW_CONFIGURATIONS, self.resource.format(action="view"))

    @property
    def create_permissions(self) -> tuple[str, ...]:
        """What makes a mapping (product page §3)."""
        return (permissions.EDIT_CONFIGURATIONS, self.resource.format(action="add"))

    @property
    def edit_permissions(self) -> tuple[str, ...]:
        """What changes one."""
        return (permissions.EDIT_CONFIGURATIONS, self.resource.format(action="change"))

    @property
    def delete_permissions(self) -> tuple[str, ...]:
        """What deletes one."""
        return (permissions.EDIT_CONFIGURATIONS, self.resource.format(action="delete"))
