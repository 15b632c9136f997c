"""Runs each step on a file in a child process of its own, which is killed at its limits and can reach nothing but that file.

service      START HERE: `Sandbox` runs a step          zygote        forks a child for each call; never sees a file
connection   the service's end of the zygote            child         what happens in the child, in order
messages     between service and zygote                 confinement   limits, and what a child gives up
outcome      from a child's end to a verdict            landlock, seccomp, linux   the system calls for it
room         the memory of the service, shared          files, folders   the outputs of a child; folders of deliveries
"""

from shared.sandbox.outcome import ProcessorFailed, Ran
from shared.sandbox.room import Share
from shared.sandbox.service import Sandbox, checked

__all__ = ["ProcessorFailed", "Ran", "Sandbox", "Share", "checked"]
