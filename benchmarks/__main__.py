"""Measure: `python -m benchmarks [row ...] [--json]`. Goals are reported, never asserted: machines are noisy."""

import argparse
import importlib
import sys
import time

from benchmarks.options import Options
from benchmarks.report import Line, as_json, machine, print_lines, print_machine

ROWS = {
    "start": "process start to the first page, and --help",
    "api": "/api/* and /health with 20 clients",
    "fanout": "500 WebSocket clients on the feed",
    "history": "a year of hourly LTV: its answer, and its drawing in Chromium",
    "alerts": "from a quote that crosses a threshold to the acceptance of its alert, 500 viewers connected",
    "page": "first paint, page weight, page change in Chromium",
    "european": "European prices, Greeks and implied volatility, 5,000 contracts",
    "american": "American prices, Greeks, implied volatility and scenario grids, 5,000 contracts",
    "odds": "the odds of a call: closed form and simulated courses",
    "cheapest": "the cheapest hedge of a whole day's chain, in three countings",
    "path_verdict": "four hedges judged on the same 20,096 paths under four models",
    "what_if": "heat maps of twelve options, and a slider of the what-if page until everything is drawn in Chromium",
    "backtest": "a hedge through 5,000 days, and a thousand hedges through them, beside a QuantLib loop",
    "sweep": "ten thousand backtests on one and two processes and on a Dask scheduler, workers killed",
    "chain": "a whole day's chain from a file to own volatility and Greeks",
    "engine": "comparison, pricing and stored history",
}


def main() -> int:
    """Run the rows and print them; 1 when a row could not be measured."""
    asked = arguments()
    options = Options(asked.seconds, asked.samples, asked.clients)
    every: list[Line] = []
    failed = False
    about = machine()
    if not asked.json:
        print_machine(about)
    for name in asked.row or list(ROWS):
        print(f"{name}: {ROWS[name]} ...", file=sys.stderr, flush=True)
        begun = time.monotonic()
        try:
            lines = importlib.import_module(f"benchmarks.{name}").run(options)
        except Exception as error:  # noqa: BLE001  # one row that cannot run does not hide the others
            print(f"{name} could not be measured: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
            continue
        every.extend(lines)
        if not asked.json:
            print_lines(f"{name} ({time.monotonic() - begun:.0f} s)", lines)
    if asked.json:
        print(as_json(every, about))
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    rows = "; ".join(f"{name}: {about}" for name, about in ROWS.items())
    parser.add_argument("row", nargs="*", metavar="row", help=f"default all. {rows}")
    parser.add_argument("--seconds", type=float, help="how long each side of api and fanout is measured")
    parser.add_argument("--samples", type=int, help="how often each side of start, page and engine is measured")
    parser.add_argument("--clients", type=int, help="clients of api (20) and fanout (500)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    asked = parser.parse_args()
    for row in asked.row:
        if row not in ROWS:
            parser.error(f"no row {row!r}; there are {', '.join(ROWS)}")
    for name, least, most in (("seconds", 1, 3600), ("samples", 1, 1000), ("clients", 1, 5000)):
        value = getattr(asked, name)
        if value is not None and not least <= value <= most:
            parser.error(f"--{name} must be between {least} and {most}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
