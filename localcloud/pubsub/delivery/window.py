"""How many pushes may be under way at once (Pub/Sub: "Push subscriptions", delivery rate)."""

START = 4
MAXIMUM = 1000


class Window:
    """Slow start: grows by one with every success, so it doubles with every round; a failure halves it."""

    def __init__(self) -> None:
        self.size = START

    def succeeded(self) -> None:
        """An endpoint accepted a message."""
        self.size = min(self.size + 1, MAXIMUM)

    def failed(self) -> None:
        """An endpoint refused a message or did not answer."""
        self.size = max(self.size // 2, 1)
