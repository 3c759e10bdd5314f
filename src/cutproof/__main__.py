"""`python -m cutproof`: the command."""

import sys

from cutproof.checks.cli.main import main

sys.exit(main())
