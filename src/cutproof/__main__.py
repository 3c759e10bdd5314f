"""`python -m cutproof`: the command."""

import sys

from cutproof.checks.cli.start import main

sys.exit(main())
