"""Stand-ins to try the whole product with, no account needed.

They import nothing of the product, and nothing imports them.
"""
