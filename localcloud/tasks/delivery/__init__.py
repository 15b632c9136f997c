"""From a queue to HTTP targets: rates, attempts, retries."""
