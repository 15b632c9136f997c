"""Shapes in which operators run a file again, or cancel it, and in which sweeps queue it again.

Requests are those of a schedule: the id of a request and the number of its plan, of several operators at once, in turn.
"""

from shared.plan import Plan
from tests.proof.deliveries import Fault
from tests.proof.runs import CANCEL, FRESH
from tests.proof.scripted import FAIL
from tests.proof.shapes import CRASHES, PLANS, SHAPES, Shape, changes, plan, step

_ONE, _TWO = ("one", 0), ("two", 0)
_FAILED = plan(step("a", "q1", script=[FAIL]))
_SEVERAL = plan(step("a", "q1", script=[FAIL]), step("b", "q2", script=[FAIL]))
_HALF = plan(step("a", "q1"), step("b", "q2", "a", script=[FAIL]))
_REPAIRED = plan(step("a", "q1"), step("b", "q2", "a", input="a"))
#: A sweep at an effect, and later a crash, or a wait for all others.
_SWEEPS = (("healing", "crash"), ("healing", "stall"), ("crash", "healing"), ("abandon", "crash"))
#: An operator cancels at an effect; later a process ends, or that of the operator for good, or waits for all others.
_CANCELS = (("cancel", "crash"), ("cancel", "abandon"), ("cancel", "stall"), ("crash", "cancel"))
#: An operator cancels at an effect; later waits for one delivery, or for all.
_OVERTAKEN = (("cancel", "switch"), ("cancel", "stall"))
#: The configuration changes after the dispatcher has read it.
_BEFORE = (Fault(1, "configure", 1),)


def _cancelled(of: Plan) -> Shape:
    return Shape((of,), pairs=_CANCELS)


SHAPES_OF_RUNS = {
    "failed-again": Shape((_FAILED,), ((_ONE,),)),
    "several-first-tasks-again": Shape((_SEVERAL,), ((_ONE,),)),
    "again-with-adoption": Shape((_HALF,), ((_ONE,),)),
    "again-under-another-plan": Shape((_HALF, _REPAIRED), ((("one", 1),),)),
    "again-fresh": Shape((_HALF,), (((FRESH, 0),),)),
    "again-while-in-work": Shape((_FAILED,), faults=(Fault(0, "rerun"),)),
    "two-requests-at-once": Shape((_FAILED,), ((_ONE, _TWO),)),
    "two-requests-of-two-plans": Shape((_HALF, _REPAIRED), ((_ONE, ("two", 1)),), pairs=(CRASHES,)),
    "one-request-twice-at-once": Shape((_FAILED,), ((_ONE, _ONE),)),
    "one-request-twice-in-turn": Shape((_FAILED,), ((_ONE,), (_ONE,)), pairs=(CRASHES,)),
    "again-beside-a-sweep": Shape((_FAILED,), ((_ONE,),), pairs=_SWEEPS, tier="sweeps"),
    "several-again-beside-a-sweep": Shape((_SEVERAL,), ((_ONE,),), pairs=_SWEEPS[:2], tier="sweeps"),
    "again-until-a-sweep": Shape((_HALF, _REPAIRED), ((("one", 1),),), pairs=(("abandon", "crash"),), tier="sweeps"),
    "a-task-lost-until-a-sweep": Shape((PLANS["chain"],), pairs=(("exhaust", "crash"),), tier="sweeps"),
    "cancel-one-task": _cancelled(PLANS["one-task"]),
    "cancel-a-chain": _cancelled(PLANS["chain"]),
    "cancel-two-first-tasks": _cancelled(PLANS["two-first-tasks"]),
    "cancel-a-join": Shape((PLANS["join"],), pairs=(("cancel", "crash"), ("cancel", "stall"))),
    "cancel-under-another-plan": Shape((PLANS["chain"], _HALF), faults=_BEFORE, pairs=_OVERTAKEN),
    "cancel-where-no-step-is-left": Shape((PLANS["two-first-tasks"], Plan()), faults=_BEFORE, pairs=_OVERTAKEN),
    "cancel-a-run-again": Shape((_HALF,), ((_ONE, (CANCEL, 0)),)),
    "cancelled-with-adoption": Shape((_HALF,), ((_ONE, (CANCEL, 0)), (_TWO,)), pairs=()),
    "again-after-a-cancelled-run": Shape((_HALF,), (((FRESH, 0), (CANCEL, 0)), (_ONE,)), pairs=(CRASHES,)),
}


def all_shapes() -> dict[str, Shape]:
    """Every shape, by name. Those of changes are made anew: a mutant may make other recipes."""
    return {**changes(), **SHAPES, **SHAPES_OF_RUNS}
