"""The operators' operations, one engine for the command line, the console, the status service and the sweeper.

listing · show · explain         find files and explain them; `remedy` has the commands for a lost run
rerun · bulk · reprocess         the next run of one file, of many, of those with another recipe
cancel                           end a run
sweep · healing · sweep_report   queue again what was lost; `ended` remembers what needs nothing
backfill                         run 0 for files from before: begun and shown; `_count` prices it, `_pages` does it
guard                            the runaway guard: count, mark, lift
queues · webhooks · dead_letters · tail
                                 what waits, and what was published
cost · prices                    list prices of what was done, and of what a plan would cost
parallel                         calls side by side
"""
