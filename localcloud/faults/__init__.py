"""Faults on request, planted by a test or from the command line.

rules.py      Rule, Faults: the rules in force
calls.py      faults of HTTP calls        rpc.py      faults of gRPC calls
messages.py   faults of messages before they are published
control.py    the control API             command.py  its command, `fault …`
"""

from localcloud.faults.calls import with_faults
from localcloud.faults.control import CONTROL_PATH, with_control
from localcloud.faults.messages import MessageFaults
from localcloud.faults.rpc import Interceptor
from localcloud.faults.rules import Faults

__all__ = ["CONTROL_PATH", "Faults", "Interceptor", "MessageFaults", "with_control", "with_faults"]
