"""Delivery from topics to consumers: backlogs, leases, pull and push."""
