"""How sweeps look in a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from vaultdash.domain.record import StoredRun
from vaultdash.services.sweep_result import HedgeStanding, SweepResult


def best_table(result: SweepResult, standings: Sequence[HedgeStanding], most: int) -> Table:
    """The best hedges, and the path without one wherever it stands."""
    table = Table(
        title=f"Hedges over {len(result.scenarios):,} scenarios, the best first",
        box=SIMPLE_HEAD,
        title_justify="left",
    )
    table.add_column("", justify="right")
    table.add_column("hedge")
    for name in ("no call", "sold by lender", "highest LTV", "cost, % of gold", "equity against none"):
        table.add_column(name, justify="right")
    for place, each in enumerate(standings, 1):
        if place <= most or each.hedge == 0:
            table.add_row(
                str(place),
                result.hedge_words(each.hedge),
                f"{each.survived:,} of {each.ran:,}",
                f"{each.liquidated:,}",
                f"{each.worst_ltv:.1%}",
                f"{each.cost:.2%}",
                f"{each.gain:+.2%}",
            )
    return table


def sweeps_table(runs: Sequence[StoredRun]) -> Table:
    """A row a sweep, newest first."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "name", "begun", "state"):
        table.add_column(name, no_wrap=name != "name")
    table.add_column("done", justify="right")
    table.add_column("problem")
    for run in runs:
        begun = f"{run.created_at:%Y-%m-%d %H:%M}"
        table.add_row(run.id, run.name, begun, run.state.value, f"{run.progress:.0%}", run.problem or "")
    return table
