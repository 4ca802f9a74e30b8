"""How the customer card writes its values."""
