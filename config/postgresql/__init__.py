"""The database backend of the production profile; Django looks for its `base`."""
