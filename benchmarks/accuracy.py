"""How near our numbers are: `python -m benchmarks.accuracy FOLDER`, with real chains of GLD and SLV in the folder.

The files are CSV as `vault-dash snapshots import` takes them. Prints, for a day of GLD: how many contracts get an own
volatility and why the others do not, how well it gives back the mid, and put-call parity by expiration; for SLV with
Cboe's figures: ours against theirs.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from vaultdash.clock import NewYorkHours
from vaultdash.domain.market import PriceHistory
from vaultdash.domain.option import DollarRate, OptionChain
from vaultdash.market.observed.chains import chains_of
from vaultdash.market.observed.importing import Wish, import_files
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.pricing.american import american_price
from vaultdash.pricing.parity import pairs_of, parity_forward
from vaultdash.pricing.rates import continuous_from_bank_discount
from vaultdash.services.chain_pricing import PricedChain, price_chain, surface_of
from vaultdash.storage.price_csv import read_price_csv

CONSOLE = Console(width=140)
TODAY = date(2026, 11, 21)
Values = npt.NDArray[np.float64]


def main() -> int:
    """Import what is in the folder and print the tables."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        store = ObservedSnapshots(Path(scratch))
        list(import_files(sorted((folder / "chains").glob("*.csv.gz")), store, Wish(), NewYorkHours(), TODAY))
        bills = read_price_csv(folder / "rates_daily.csv", "^IRX", "irx").history
        for session in store.sessions("GLD"):
            day_of_gld(store, session.on, rate_on(bills, session.on))
        for session in store.sessions("SLV"):
            against_cboe(store, session.on, rate_on(bills, session.on))
    return 0


def rate_on(bills: PriceHistory, on: date) -> DollarRate:
    """The bill's rate of the day or the last one before it."""
    bar = bills.between(None, on).bars[-1]
    return DollarRate(continuous_from_bank_discount(bar.close / 100), bar.on, "13-week bill, ^IRX")


def chains_on(store: ObservedSnapshots, symbol: str, on: date) -> list[OptionChain]:
    """Every expiration that had not passed at the time of its quotes."""
    found = chains_of(store.load(symbol, on), f"recorded {on}").values()
    return [chain for chain in found if chain.expiration > on]


def day_of_gld(store: ObservedSnapshots, on: date, rate: DollarRate) -> None:
    """Solved and refused, residuals of re-pricing, parity and fits by expiration."""
    chains = chains_on(store, "GLD", on)
    priced = [price_chain(chain, rate, "kernel") for chain in chains]
    options = [option for chain in priced for option in chain.options]
    count = len(options)
    status = Counter(option.iv_status for option in options)
    reasons = Counter(word for option in options for word in option.reasons)
    CONSOLE.rule(f"GLD {on}: {count:,} contracts, dollar rate {rate.value:.3%} of {rate.on}", align="left")
    CONSOLE.print("own volatility: " + shares(status, count))
    CONSOLE.print("not used:       " + shares(reasons, count))
    residuals = np.concatenate([repriced(chain) for chain in priced])
    CONSOLE.print(f"re-priced less mid, USD: {quantiles(np.abs(residuals), '.1e')} of {len(residuals):,}")
    table = Table(
        "expiration", "days", "pairs", "forward", "yield", "basis", "parity residual, USD: median", "largest"
    )
    for chain, own in zip(chains, priced, strict=True):
        left = parity_residuals(chain, own, rate)
        shown = (f"{np.median(left):.3f}", f"{left.max():.2f}") if len(left) else ("", "")
        carry = f"{own.effective_yield:+.2%}"
        days, forward = str(own.days_to_expiry), f"{own.forward:.2f}"
        table.add_row(str(own.expiration), days, str(own.parity_pairs), forward, carry, str(own.yield_basis), *shown)
    CONSOLE.print(table)
    surface = surface_of(priced)
    CONSOLE.print(surface.sentence if surface else "no surface")


def parity_residuals(chain: OptionChain, own: PricedChain, rate: DollarRate) -> Values:
    """By how much each pair near the money misses the forward, USD."""
    columns = [
        np.array([getattr(option.quote, side) or np.nan for option in own.options], dtype=np.float64)
        for side in ("bid", "ask")
    ]
    strike = np.array([option.quote.contract.strike for option in own.options])
    sign = np.array([1.0 if option.quote.contract.right == "C" else -1.0 for option in own.options])
    pairs = pairs_of(strike, sign, *columns, [option.is_usable for option in own.options])
    found = parity_forward(
        pairs.strike, pairs.call_mid, pairs.put_mid, chain.underlying.price, own.years, rate.value, pairs.spread
    )
    return np.abs(found.residuals)


def repriced(chain: PricedChain) -> Values:
    """The model price at the own volatility less mid, USD, wherever there is one."""
    rows = [option for option in chain.options if option.iv_status == "ok"]
    spot = chain.forward * np.exp((chain.effective_yield - chain.rate.value) * chain.years)
    price = american_price(
        spot,
        np.array([option.quote.contract.strike for option in rows]),
        chain.years,
        chain.rate.value,
        chain.effective_yield,
        np.array([option.implied_volatility for option in rows], dtype=np.float64),
        np.array([option.quote.contract.right.value for option in rows], dtype="U1"),
    )
    return np.asarray(price - np.array([option.mid for option in rows], dtype=np.float64))


def against_cboe(store: ObservedSnapshots, on: date, rate: DollarRate) -> None:
    """Our volatility and Greeks less Cboe's, where both have one, by how much time value there is."""
    frame = store.load("SLV", on)
    theirs = {
        row["osi"]: [row[f"{name}_vendor"] for name in ("iv", "delta", "gamma", "theta", "vega")]
        for row in frame.iter_rows(named=True)
    }
    rows = []
    for chain in chains_on(store, "SLV", on):
        own = price_chain(chain, rate, "kernel")
        for option in own.options:
            cboe = theirs[option.quote.contract.osi]
            if option.iv_status != "ok" or not option.is_usable or None in cboe or not cboe[0]:
                continue
            ours = (option.implied_volatility, option.delta, option.gamma, option.theta, option.vega)
            delta = option.delta if option.delta is not None else np.nan
            rows.append((*ours, *cboe, own.days_to_expiry, delta, option.surface_volatility))
    values = np.array(rows, dtype=np.float64)
    CONSOLE.rule(f"SLV {on}: ours less Cboe's, {len(values):,} usable contracts with both", align="left")
    names = ("implied volatility", "delta", "gamma", "theta a day", "vega a point")
    out = np.abs(values[:, 11]) < 0.5
    for title, chosen in (
        ("all", np.ones(len(values), dtype=bool)),
        ("out of the money, more than 7 days", out & (values[:, 10] > 7)),
        ("in the money, more than 7 days", ~out & (values[:, 10] > 7)),
        ("7 days and less", values[:, 10] <= 7),
    ):
        table = Table("", "median of ours", "median difference", "absolute: median", "95th percentile", title=title)
        part = values[chosen]
        pairs = [(name, part[:, place], part[:, 5 + place]) for place, name in enumerate(names)]
        for name, ours, cboe in [("volatility of our smile", part[:, 12], part[:, 5]), *pairs]:
            known = np.isfinite(ours)
            gap = (ours - cboe)[known]
            size = np.abs(gap)
            table.add_row(
                f"{name} ({known.sum():,})",
                *(
                    f"{value:.5f}"
                    for value in (np.median(ours[known]), np.median(gap), np.median(size), np.quantile(size, 0.95))
                ),
            )
        CONSOLE.print(table)


def shares(counted: Counter[str], count: int) -> str:
    """Each word with how often and in per cent."""
    return ", ".join(f"{word} {number:,} ({number / count:.1%})" for word, number in counted.most_common())


def quantiles(values: Values | Sequence[float], form: str) -> str:
    """Median, 95th percentile and largest."""
    parts: Iterable[float] = (*np.quantile(values, [0.5, 0.95]), np.max(values))
    words = ("median", "95th percentile", "largest")
    return ", ".join(f"{word} {part:{form}}" for word, part in zip(words, parts, strict=True))


if __name__ == "__main__":
    sys.exit(main())
