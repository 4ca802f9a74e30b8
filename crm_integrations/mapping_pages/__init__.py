"""What the pages of data mappings share, whichever way the data go: what was typed, buttons, lists of fields."""
