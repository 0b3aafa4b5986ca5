"""What the container starts: `likeness serve`, which ends well where another start cannot help.

With `--restart on-failure` whatever does not end with 0 is started again, at once and for ever. So
where likeness.service gives up (2, 78) this ends with 0, and the log says why.
"""

import sys

from likeness.cli import main

_GIVE_UP = (2, 78)

try:
    main(["serve", "/model", *sys.argv[1:]], "likeness")
except SystemExit as end:
    sys.exit(0 if end.code in _GIVE_UP else end.code)
