"""Run all benchmarks; fail if one of them falls short of what is asked."""

import sys

from benchmarks import automatic, clustering, imports, similarity, training

failed = 0
for benchmark in (training, similarity, automatic, clustering, imports):
    print(benchmark.__doc__.splitlines()[0], end="\n\n")
    failed |= benchmark.main()
    print()
sys.exit(failed)
