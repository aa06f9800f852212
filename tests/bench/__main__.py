"""`python -m tests.bench NAME [arguments]` runs `tests/bench/NAME.py`'s `main(arguments)` and prints its figures."""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py") if path.stem != "upstream")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(f"usage: python -m tests.bench {{{','.join(NAMES)}}}", file=sys.stderr)
        return 2
    result = import_module(f"tests.bench.{sys.argv[1]}").main(sys.argv[2:])
    return int(result or 0)


if __name__ == "__main__":
    sys.exit(main())
