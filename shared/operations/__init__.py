"""The operators' operations, one engine for the command line and the services: listing, showing and running files again."""
