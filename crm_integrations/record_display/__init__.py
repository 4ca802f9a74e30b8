"""Values of CRM records as people read them. Pure: no database, no HTTP; the active language decides the words."""
