"""`python -m localgen` is the command `localgen`."""

import sys

from localgen.main import main

sys.exit(main())
