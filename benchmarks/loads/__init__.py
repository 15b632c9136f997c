"""Clients that load the local cloud: cheap, so that they are not what is measured; they print figures as JSON."""
