"""Errors that end a command with one message.

Failed            status 1: something is refused or wrong
└── Unreadable    status 2: the state cannot be read; nothing was changed
"""


class Failed(Exception):
    """A message for the operator."""

    status = 1


class Unreadable(Failed):
    """The state cannot be read, so nothing may be changed."""

    status = 2
