"""The command line: commands, signals, the variables for clients, and child processes that end with their parent."""
