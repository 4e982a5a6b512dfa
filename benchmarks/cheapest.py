"""The cheapest hedge of a whole day's chain of GLD in three countings, beside the search on rows not sharpened.

Takes the chains of the folder that BENCH_DATA names (CSV files in `chains/`), else the demo market's own.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from benchmarks.chain import TODAY, from_demo
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from vaultdash.clock import NewYorkHours
from vaultdash.domain.hedge_verdict import CheapestHedge
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import OptionChain
from vaultdash.market.observed.chains import chains_of
from vaultdash.market.observed.importing import Wish, import_files
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.strategies.cheapest import cheapest_hedge
from vaultdash.strategies.cheapest_prune import pruned
from vaultdash.strategies.cheapest_rows import rows
from vaultdash.strategies.cheapest_search import search
from vaultdash.strategies.cheapest_terms import search_terms, usable
from vaultdash.strategies.cheapest_time import Deadline

SAMPLES = 5
FOUR_MONTHS = timedelta(days=123)
UNDER_TWO_SECONDS = (Goal("p50", 2_000),)
GOLD, LOAN, CALL_LTV = 1_000_000.0, 600_000.0, 0.75


def run(options: Options) -> list[Line]:
    """Everything in this process, one thread; each answer with its certificate."""
    samples = options.samples or SAMPLES
    folder = os.environ.get("BENCH_DATA")
    chains = first_day(Path(folder)) if folder else from_demo()
    spot = chains[0].underlying.price
    contracts = [listed for chain in chains for listed in listed_options(chain)]
    first = min(chain.expiration for chain in chains)
    horizon = min(max(chain.expiration for chain in chains), first + FOUR_MONTHS)
    lines = []
    for counting in HedgeCounting:
        for gold in (GOLD, 10 * GOLD):
            terms = gold / spot, LOAN * gold / GOLD, spot, CALL_LTV
            ask = partial(cheapest_hedge, contracts, *terms, credit_factor=counting, horizon=horizon)
            found = ask()
            taken = [timed(ask) for _ in range(samples)]
            plain = [without_sharp_rows(contracts, terms, counting, horizon, found) for _ in range(min(samples, 2))]
            what = f"{len(contracts):,} contracts, {counting.value}, gold of {gold / 1e6:g} million"
            figures = Figure.of(taken), Figure.of(plain)
            lines.append(
                Line("cheapest", what, "ms", *figures, "rows not sharpened", UNDER_TWO_SECONDS, note_of(found))
            )
    return lines


def first_day(folder: Path) -> list[OptionChain]:
    """The first recorded day of GLD, expired contracts included: nothing is chosen beforehand."""
    with tempfile.TemporaryDirectory() as scratch:
        store = ObservedSnapshots(Path(scratch))
        list(import_files(sorted((folder / "chains").glob("gld*")), store, Wish(), NewYorkHours(), TODAY))
        session = store.sessions("GLD")[0]
        return list(chains_of(store.load("GLD", session.on), "recorded").values())


def without_sharp_rows(
    contracts: Sequence[ListedOption],
    terms: tuple[float, float, float, float],
    counting: HedgeCounting,
    horizon: date,
    found: CheapestHedge,
) -> float:
    """Milliseconds of the search on the rules as they stand, ten seconds at most; its answer must not be cheaper."""
    asked = search_terms(contracts, *terms, credit_factor=counting, horizon=horizon)
    chosen = pruned(usable(contracts, asked)[0], asked)
    begun = time.process_time()
    plain = search(asked, chosen, rows(asked, chosen, sharp=False), Deadline(10.0))
    taken = (time.process_time() - begun) * 1e3
    is_same = plain.check is None or found.net_cost is None or plain.check.net_cost >= found.net_cost - 1e-6
    if not is_same or (plain.outcome == "optimal") is (found.net_cost is None):
        raise RuntimeError(f"the two programs disagree: {plain.outcome}, {found.status}")
    return taken


def note_of(found: CheapestHedge) -> str:
    """The answer behind the time."""
    if found.hedge is None:
        return found.status.value
    legs = ", ".join(f"{leg.contracts} x {leg.option.strike:g}" for leg in found.hedge.legs)
    return f"{found.status.value}: {legs} for {found.net_cost:,.2f}, bound {found.lp_bound:,.2f}"


def listed_options(chain: OptionChain) -> list[ListedOption]:
    """The quotes of an expiration as contracts that may be traded, none left out."""
    return [
        ListedOption(
            quote.contract.right,
            quote.contract.strike,
            chain.expiration,
            quote.bid,
            quote.ask,
            quote.contract.multiplier,
        )
        for quote in chain.quotes
    ]


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of processor time of one call: the solver has one thread and waits for nothing."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1e3
