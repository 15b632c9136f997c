"""Runs `./sluice`. An interrupt during the imports ends it at once, with the same exit code as later."""

import os
import signal
import sys

INTERRUPTED = 130


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from cli.program import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)  # a tail deletes its subscription then too
    sys.exit(main(sys.argv[1:]))
