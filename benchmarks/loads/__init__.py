"""Clients that load the local cloud: processes of their own that print figures as JSON, and cheap, or they would be measured."""
