"""The comparison, pricing, and the stored history: what one call costs, beside a plain way of doing the same."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.api import loaded, wait_for_price
from benchmarks.options import Options
from benchmarks.peers.option_formulas import Chain, chain, numpy_scipy, quantlib_loop
from benchmarks.report import Figure, Line
from benchmarks.servers import vault_dash
from vaultdash.clock import NewYorkHours, utc_now
from vaultdash.domain.hedge import Exercise, Situation
from vaultdash.market.demo import DemoMarket
from vaultdash.pricing import Valuation, american, european
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.strategies.engine import DEFAULT_PRICE_CHANGES, compare

SAMPLES = 60
LOOPS = 3
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
SAME = 1e-8


def run(options: Options) -> list[Line]:
    """Everything in this process, one thread; the history over HTTP too."""
    samples = options.samples or SAMPLES
    return [*comparison_lines(samples), *pricing_lines(samples), *history_lines(samples)]


def comparison_lines(samples: int) -> list[Line]:
    """One call for each exercise, every call at another spot, so that nothing is remembered."""
    lines = []
    for exercise in Exercise:
        situations = [situation(400 + 0.37 * number, exercise) for number in range(samples + 3)]
        taken = [timed(lambda each=each: compare(each)) for each in situations][3:]  # type: ignore[misc]
        lines.append(Line("engine", f"compare(), {exercise.value}", "ms", Figure.of(taken)))
    return lines


def situation(spot: float, exercise: Exercise) -> Situation:
    """A million of gold, 0.6 of loan."""
    return Situation(
        spot=spot,
        units=1_000_000 / spot,
        loan_amount=600_000,
        margin_call_ltv=0.75,
        volatility=0.16,
        rate=0.045,
        months=12,
        exercise=exercise,
        price_changes=DEFAULT_PRICE_CHANGES,
    )


def pricing_lines(samples: int) -> list[Line]:
    """Price and Greeks of a chain of 5,000; ours and the peers must agree before they are timed."""
    given = chain()
    agree(given)
    ours, plain = [], []
    for _ in range(samples):
        ours.append(timed(lambda: ours_european(given)))
        plain.append(timed(lambda: numpy_scipy(given)))
    loops = [timed(lambda: quantlib_loop(given)) for _ in range(LOOPS)]
    few = replace_columns(given, slice(0, None, 20))
    americans = [timed(lambda: ours_american(few)) for _ in range(LOOPS)]
    count = len(given.strike)
    whole, title = Figure.of(ours), f"european() with Greeks, {count:,} contracts"
    rate = f"{count / whole.p50 / 1000:.1f} M contracts/s"
    return [
        Line("engine", title, "ms", whole, Figure.of(plain), "NumPy and SciPy", note=rate),
        Line("engine", title, "ms", whole, Figure.of(loops), "QuantLib loop"),
        Line("engine", f"american() with Greeks, {len(few.strike)} contracts", "ms", Figure.of(americans)),
    ]


def agree(given: Chain) -> None:
    """Speed is compared only at equal answers."""
    ours = ours_european(given)
    for name, plain, loop in zip(NAMES, numpy_scipy(given), quantlib_loop(given).T, strict=True):
        mine = getattr(ours, name)
        scale = max(1.0, float(np.abs(loop).max()))
        for peer in (plain, loop):
            if not np.allclose(mine, peer, rtol=0, atol=SAME * scale):
                raise RuntimeError(f"{name} differs by {np.abs(mine - peer).max():g}")


def ours_european(given: Chain) -> Valuation:
    """The product."""
    return european(given.spot, given.strike, given.years, given.rate, given.carry, given.volatility, given.right)


def ours_american(given: Chain) -> Valuation:
    """The product, rho not asked for."""
    return american(given.spot, given.strike, given.years, given.rate, given.carry, given.volatility, given.right)


def replace_columns(given: Chain, chosen: slice) -> Chain:
    """Some of the contracts."""
    names = ("strike", "days", "rate", "volatility", "right")
    return replace(given, **{name: getattr(given, name)[chosen] for name in names})


def history_lines(samples: int) -> list[Line]:
    """Twenty-two years of daily prices, stored: read from the file, from memory, and over HTTP."""
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder:
        days = store_history(Path(folder))
        cold = [timed(lambda: ParquetPrices(Path(folder)).load_history("GLD")) for _ in range(samples)]
        store = ParquetPrices(Path(folder))
        warm = [timed(lambda: store.load_history("GLD")) for _ in range(samples)]
        lines = [
            Line("engine", f"history of {days:,} days from its file", "ms", Figure.of(cold)),
            Line("engine", "the same again", "ms", Figure.of(warm)),
        ]
        with vault_dash(Path(folder)) as server:
            wait_for_price(server.port)
            for asked in (90, 20_000):
                path = f"/api/history?symbol=GLD&days={asked}"
                loaded(server.port, path, 1, 0.5)
                answer = loaded(server.port, path, 1, 2.0)
                note = f"{answer['bytes_each'] / 1000:,.0f} kB an answer, one client after the other"
                lines.append(
                    Line("engine", f"/api/history, days={asked}", "ms", Figure.of(answer["latencies_ms"]), note=note)
                )
    return lines


def store_history(data_dir: Path) -> int:
    """The demo's days under another name: the demo's own are never stored."""
    history = asyncio.run(
        DemoMarket(now=utc_now, hours=NewYorkHours()).history("GLD", date(2004, 11, 18), utc_now().date())
    )
    ParquetPrices(data_dir).merge_history(replace(history, source="benchmark"))
    return len(history.bars)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
