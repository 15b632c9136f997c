"""Faults on request: what may go wrong between services and on the wire, planted by a test or a person, one rule at a time."""

from local.faults.calls import tampered
from local.faults.control import CONTROL_PATH, controlled
from local.faults.messages import Tamper
from local.faults.rpc import Interceptor
from local.faults.rules import Faults

__all__ = ["CONTROL_PATH", "Faults", "Interceptor", "Tamper", "controlled", "tampered"]
