"""`python -m local up | env | demo | hostile | fault | calls | reset`: Sluice and the local cloud."""

import sys

from localcloud.cli import interrupts

if __name__ == "__main__":
    interrupts.install()
    from local.command import main

    sys.exit(main())
