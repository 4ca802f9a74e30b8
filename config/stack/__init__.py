"""The one-command tooling: the embedded product of `make run`, the servers of `make test`, the checks of `make check`.

Production needs nothing of this folder: there, a service manager starts the web server, the workers and the beat.
"""
