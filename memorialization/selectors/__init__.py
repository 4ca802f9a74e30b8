"""What pages read: noun phrases over the tables."""
