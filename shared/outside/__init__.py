"""Steps outside the sandbox: they stream a file from the service's process to another service; no decoders.

running   START HERE: runs a step, and checks the settings at start-up    reach    addresses, secrets and limits of a step
sockets   connections that end at a deadline                              clamd    the client of clamd
clients   an HTTP client on such a connection, which webhooks use too
calls     one HTTP request, and the verdict of its status                 bodies   what the request sends
answers   from an HTTP answer to facts or outputs                         parts    from a multipart answer to outputs

A sandbox has no network, so these steps cannot run there. They have a pool of their own: its account reads no decoder's memory.
"""

from shared.outside.running import check, concerns, run

__all__ = ["check", "concerns", "run"]
