"""The database backend of the embedded profile; Django looks for its `base`."""
