"""Devstack: the whole system on one machine, from real parts that packages bring. For the demo, tests and benchmarks.

Nothing that is deployed imports this room; it starts the services as processes and asks the auditor as a process.
"""
