import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tricky_beside import PAGE  # noqa: E402

c = get_config()  # noqa: F821
c.Spawner.default_url = PAGE
c.Spawner.args.append("sub")
