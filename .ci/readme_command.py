"""Print the N-th `sh` block of the README's section `## Start`; the section must hold exactly two, a line each."""

import re
import sys
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.md").read_text()
section = re.search(r"^## Start$(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
if section is None:
    sys.exit("README.md has no section `## Start`")
blocks = re.findall(r"^```sh\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
if len(blocks) != 2 or any(len(block.strip().splitlines()) != 1 for block in blocks):
    sys.exit("the section `## Start` must hold two `sh` blocks of one line each")
print(blocks[int(sys.argv[1]) - 1].strip())
