import sys
from pathlib import Path
from benchmarks import systems
for size in (10_000,100_000):
    d=Path(f"/tmp/index-bench/{size//1000}k"); 
    env=systems.environment(d, VIEW_FLUSH_SECONDS="0", LOG_LEVEL="WARNING")
    (d/"token").write_text(systems.fill(size, 20, env)[0]); (d/"secret").write_text(systems.JWT_SECRET)
