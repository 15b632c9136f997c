"""Faults on request, planted by a test or from the command line.

rules.py      Rule, Faults: the rules in force
calls.py      faults of HTTP calls        rpc.py      faults of gRPC calls
messages.py   faults of messages before they are published
control.py    their control over HTTP     command.py  the command `fault …`
"""
