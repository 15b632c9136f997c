"""Webhooks: notices, posted to URLs of the operator's choice.

pushes      START HERE: a notice that Pub/Sub pushes → a task for each webhook that wants it
deliveries  what such a task carries             attempts    a task → one signed POST, and what its answer means
envelopes   the event in the body, from manifests  posting     the POST: public addresses only, no redirects
signing     secrets, and the signature           addresses   which addresses are public

Each webhook has a queue of its own, so that a receiver that does not answer delays no other.
"""
