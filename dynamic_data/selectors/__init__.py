"""What pages and cards read."""
