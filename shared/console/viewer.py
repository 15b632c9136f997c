"""Who looks at the console, and whether they may act."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request.

    `name` is an e-mail address, or empty on a laptop. `token` goes with each action. `way` is the way in, as the setting names it.
    """

    name: str
    may_act: bool
    token: str
    way: str = "loopback"
