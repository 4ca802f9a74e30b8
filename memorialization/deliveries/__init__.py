"""The rules of a delivery: what is planned, what supersedes what, what came of it, when to try again."""
