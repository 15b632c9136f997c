"""Faults on request: what may go wrong between services and on the wire, planted by a test or a person, one rule at a time."""

from localcloud.faults.calls import tampered
from localcloud.faults.control import CONTROL_PATH, controlled
from localcloud.faults.messages import Tamper
from localcloud.faults.rpc import Interceptor
from localcloud.faults.rules import Faults

__all__ = ["CONTROL_PATH", "Faults", "Interceptor", "Tamper", "controlled", "tampered"]
