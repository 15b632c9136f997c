"""The operators' operations, one engine for the command line and the services: list, show, run again."""
