"""Which objects Cloud Storage deletes by their age, wherever Sluice runs: the notes of attempts. Pure."""

#: The folder of the notes of attempts in the results bucket.
NOTES = "attempts/"
#: No task is tried for so many days unless its queue was paused; then its attempts count anew.
NOTES_DAYS = 30
