"""What sources report: parsing, times, and the fold of a contact's events into its interactions. Pure."""
