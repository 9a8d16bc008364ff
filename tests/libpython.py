"""Print the linker's arguments for the libpython of this interpreter, or exit 1 where it has no shared one."""

import sys
import sysconfig
from pathlib import Path

folder = str(sysconfig.get_config_var("LIBDIR"))
version = sysconfig.get_config_var("LDVERSION")
if not (Path(folder) / f"libpython{version}.so").exists():
    sys.exit(f"Python in {folder} has no shared libpython{version}: install the package with its headers")
print(f"-L{folder} -Wl,-rpath,{folder} -lpython{version}")
