"""The fault matrix: real processes, one fault at a time, and a checker that compares promises with what stands.

`python -m tests.faults` (make faults) runs every row once per profile; docs/reliability.md explains the rows.
"""
