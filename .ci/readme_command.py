"""Print the README's command under `<!-- command: NAME -->`, so that CI runs what people read."""

import re
import sys
from pathlib import Path

readme = Path(__file__).parent.parent / "README.md"
pattern = rf"<!-- command: {re.escape(sys.argv[1])} -->\n```sh\n(.+?)\n```"
found = re.search(pattern, readme.read_text(encoding="utf-8"), re.DOTALL)
if found is None:
    sys.exit(f"README.md states no command named {sys.argv[1]}")
print(found.group(1))
