"""
Runs a command and prints its cost: seconds of wall time, seconds of CPU time, and peak memory in
KiB. This is a small process of its own, because on Linux the peak of a child is at least the memory
of its parent when it starts the child.
"""

import os
import sys
import time

start = time.perf_counter()
discard_stdout = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=discard_stdout)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
