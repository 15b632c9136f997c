"""CPU goals hold on the machine where they were set. Another machine scales them by its time for one step."""

#: CPU time of `image.renditions` on tests/data/photo.jpg, in process, on the machine of the goals.
REFERENCE_MS = 88.7


def scaled(goal_ms: float, photo_ms: float) -> float:
    """The goal on a machine whose CPU time for that step is `photo_ms`."""
    return goal_ms * photo_ms / REFERENCE_MS


def verdict(spent_ms: float, goal_ms: float, photo_ms: float) -> str:
    """The goal, the goal for this machine, and whether it is met."""
    here = scaled(goal_ms, photo_ms)
    return f"goal ≤ {goal_ms:g} ms, here ≤ {here:.1f} ms: {'met' if spent_ms <= here else 'MISSED'}"


def scale(photo_ms: float) -> str:
    """The scale of the goals, for people."""
    return (
        f"CPU goals × {scaled(1, photo_ms):.2f}: a step on a 1.5 MP photograph takes {photo_ms:.1f} ms in process here,"
        f" {REFERENCE_MS} ms on the machine of the goals"
    )
