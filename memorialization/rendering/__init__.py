"""From a source value to what a CRM field takes, by the field's type. Pure."""
