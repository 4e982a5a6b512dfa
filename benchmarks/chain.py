"""A whole day's chain of GLD, from a file to own volatility and Greeks, beside a QuantLib loop over the same quotes.

Takes real chains from the folder that BENCH_DATA names (CSV files in `chains/`), else the demo market's own chain.
"""

import asyncio
import os
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from benchmarks.options import Options
from benchmarks.peers.quantlib_chain import quantlib_chain
from benchmarks.report import Figure, Line
from vaultdash.bootstrap import model_prices
from vaultdash.clock import NewYorkHours
from vaultdash.domain.option import DollarRate, OptionChain
from vaultdash.market.demo import DemoMarket
from vaultdash.market.observed.chains import chains_of
from vaultdash.market.observed.importing import Wish, import_files
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.pricing import american, implied_volatility
from vaultdash.pricing.compiled import warm_up
from vaultdash.services.chain_pricing import PricedChain, price_chain, surface_of

SAMPLES = 10
RATE = DollarRate(0.0367, None, "benchmark")
TODAY = date(2026, 11, 21)
SAME_VOLATILITY = 2e-3  # the fast scheme is good to 2e-3 USD; compared where a point of volatility is worth 5 cents


def run(options: Options) -> list[Line]:
    """Everything in this process, one thread, compiled code loaded before."""
    warm_up()
    samples = options.samples or SAMPLES
    lines: list[Line] = []
    folder = os.environ.get("BENCH_DATA")
    chains = from_files(Path(folder), samples, lines) if folder else from_demo()
    count = sum(len(chain.quotes) for chain in chains)
    what = f"{count:,} contracts, {len(chains)} expirations"
    priced = [price_chain(chain, RATE, "kernel") for chain in chains]
    whole = timed(samples, lambda: [price_chain(chain, RATE, "kernel") for chain in chains])
    lines.append(Line("chain", f"filtered, forward, volatility, smile, Greeks: {what}", "ms", whole))
    lines.append(Line("chain", "surface through all of them", "ms", timed(samples, lambda: surface_of(priced))))
    lines += against_quantlib(priced, samples)
    return lines


def from_files(folder: Path, samples: int, lines: list[Line]) -> list[OptionChain]:
    """Import every chain of GLD there is, and read the second day again."""
    files = sorted((folder / "chains").glob("gld*"))
    hours, taken, kept = NewYorkHours(), [], 0
    for _ in range(samples):
        with tempfile.TemporaryDirectory() as scratch:
            begun = time.perf_counter()
            reports = list(import_files(files, ObservedSnapshots(Path(scratch)), Wish(), hours, TODAY))
            taken.append((time.perf_counter() - begun) * 1e3)
            kept = sum(report.kept for report in reports)
    lines.append(Line("chain", f"import of {kept:,} rows from CSV into the store", "ms", Figure.of(taken)))
    with tempfile.TemporaryDirectory() as scratch:
        store = ObservedSnapshots(Path(scratch))
        list(import_files(files, store, Wish(), hours, TODAY))
        on = store.sessions("GLD")[1].on

        def read() -> list[OptionChain]:
            found = chains_of(store.load("GLD", on), "recorded").values()
            return [chain for chain in found if chain.expiration > on]

        lines.append(Line("chain", f"read {on} from the store", "ms", timed(samples, read)))
        return read()


def from_demo() -> list[OptionChain]:
    """The demo market's chains of one moment."""

    async def ask() -> list[OptionChain]:
        now = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)
        market = DemoMarket(lambda: now, NewYorkHours(), model_prices)
        days = (await market.expirations("GLD")).days
        return [await market.chain("GLD", day) for day in days if day > now.date()][:12]

    return asyncio.run(ask())


def against_quantlib(priced: list[PricedChain], samples: int) -> list[Line]:
    """Volatility and Greeks of every quote with a volatility; both sides get the same mids, yields and whole days."""
    rows = [
        (option.mid, option.quote.contract.strike, chain.days_to_expiry, chain.effective_yield, option.quote.contract)
        for chain in priced
        for option in chain.options
        if option.iv_status == "ok"
    ]
    mid, strike, days, carry = (np.array([row[place] for row in rows], dtype=np.float64) for place in range(4))
    right = np.array([row[4].right.value for row in rows], dtype="U1")
    spot, years = priced[0].underlying.price, days / 365

    def ours() -> np.ndarray:
        volatility, _ = implied_volatility(mid, spot, strike, years, RATE.value, carry, right)
        known = np.where(np.isfinite(volatility), volatility, 1.0)
        value = american(spot, strike, years, RATE.value, carry, known, right)
        columns = (volatility, value.price, value.delta, value.gamma, value.vega, value.theta)
        return np.column_stack(columns)

    begun = time.perf_counter()
    theirs = quantlib_chain(mid, spot, strike, days, RATE.value, carry, right == "C")
    loop = (time.perf_counter() - begun) * 1e3
    found = ours()
    both = np.isfinite(found[:, 0]) & np.isfinite(theirs[:, 0]) & (found[:, 4] > 5)
    gap = np.abs(found[both, 0] - theirs[both, 0])
    if gap.max() > SAME_VOLATILITY:
        raise RuntimeError(f"the sides differ by {gap.max():.2g} of volatility")
    title = f"volatility and Greeks of {len(mid):,} quoted contracts"
    note = f"volatilities differ by at most {gap.max():.1e} on {both.sum():,} contracts"
    peer = Figure.of([loop])
    return [Line("chain", title, "ms", timed(samples, ours), peer, "QuantLib loop", note=note)]


def timed(samples: int, work: object) -> Figure:
    """Milliseconds of each call after one that does not count."""
    assert callable(work)
    work()
    taken = []
    for _ in range(samples):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1e3)
    return Figure.of(taken)
