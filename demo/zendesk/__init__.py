"""A demo Zendesk: accounts by path, OAuth, the Support API the product uses, faults on demand, pages to watch.

Start it with `python -m demo.zendesk`; tests build it with `demo.zendesk.app.create_app`.
"""
