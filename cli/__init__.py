"""`./sluice`: the operators' command line.

Each command parses, calls one operation of `shared/operations`, and prints the answer.

files    ls, show, explain          queues   queues, pause, resume     notices  tail, dead-letters
runs     rerun, cancel              usage    cost
output   formats, notes, progress   table    rows as aligned text      exits    errors and exit codes   options  common options
"""
