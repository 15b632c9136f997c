"""From a topic to its subscribers: backlogs, leases, pull and push."""
