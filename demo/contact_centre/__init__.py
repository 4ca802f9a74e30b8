"""A stand-in contact centre: plays calls and chats of real shapes through the product's public API.

It knows the product only by that API, as a customer's scripts do, and imports nothing of it.
"""
