"""Faults on request, planted by a test or from the command line.

rules.py      Rule, Faults: the rules in force
calls.py      faults of HTTP calls        rpc.py      faults of gRPC calls
messages.py   faults of messages before they are published
control.py    their control over HTTP     command.py  the command `fault …`
"""

from localcloud.faults.calls import with_faults
from localcloud.faults.control import FAULTS_PATH, faults_control
from localcloud.faults.messages import MessageFaults
from localcloud.faults.rpc import Interceptor
from localcloud.faults.rules import Faults

__all__ = ["FAULTS_PATH", "Faults", "Interceptor", "MessageFaults", "faults_control", "with_faults"]
