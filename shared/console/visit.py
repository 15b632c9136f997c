"""A request to a page of the console."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, Response

from shared.cloud.protocols import Cloud
from shared.console.recent import Recent
from shared.console.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, its viewer, and `rest`: what follows in its path, such as an object's name.

    `recent` has what all viewers see; `links` the signed links that they follow.
    """

    request: Request
    viewer: Viewer
    rest: str
    cloud: Cloud
    recent: Recent
    links: Recent


View = Callable[[Visit], Response]
