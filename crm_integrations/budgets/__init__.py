"""Pure rules of calling a CRM: how many calls may be made when, and when not to try at all. No database, no network."""
