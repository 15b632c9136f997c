"""Pure rules: what a request may contain, and what it means."""
