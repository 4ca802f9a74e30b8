"""Dynamic data: which CRM fields agents see during an interaction."""
