"""The mapping editor as a person uses it, with its searchable drop-downs."""

from dataclasses import dataclass

from playwright.sync_api import Locator, expect

from tests.browser.walk import Walker


@dataclass
class MappingEditor:
    """The open editor."""

    walker: Walker

    def add_entity(self, title: str) -> Locator:
        """Choose an entity type and add it; its card."""
        page = self.walker.page
        page.get_by_label(self.walker.labels("Select Entity Type"), exact=True).select_option(label=title)
        self.walker.press("Add Entity")
        card = page.locator("[data-card]").last
        expect(card.locator("[data-card-title]")).to_have_text(title)
        return card

    def fill_row(self, row: Locator, *, field: str, channel: str, source: str) -> None:
        """Say which CRM field takes which data; for a script variable `source` is typed as it is."""
        labels = self.walker.labels
        self.choose(row, "External CRM Field", field)
        row.get_by_label(labels("Select Channel"), exact=True).select_option(label=labels(channel))
        if channel == "Script Variable":
            row.locator("[data-variable]").fill(source)
        else:
            self.choose(row, "CXone Mpower Data", labels(source))

    def choose(self, row: Locator, english: str, text: str) -> None:
        """Type into a searchable list and take what it shows."""
        box = row.get_by_role("combobox", name=self.walker.labels(english), exact=True)
        box.click()
        box.press_sequentially(text)
        row.get_by_role("option").filter(has_text=text).first.click()
