"""The command line: commands, signals, variables for clients, and children that end with their parent."""
