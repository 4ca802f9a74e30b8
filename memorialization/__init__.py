"""Data memorialization: interaction events → rules → deliveries → the ledger, and the mappings that steer them."""
