"""`python -m localcloud up | env | fault | calls | reset`: the local cloud from the command line."""

import sys

from localcloud.cli import interrupts

if __name__ == "__main__":
    interrupts.install()
    from localcloud.cli.command import main

    sys.exit(main())
