"""A sweep in a sentence and a few figures: which hedge came through most scenarios, beside none at all."""

from typing import Any

from vaultdash.services.sweep_result import HedgeStanding, SweepResult

BEST = 10
DEMO = "On DEMO prices, which are invented: "


def summary_of(result: SweepResult) -> dict[str, Any]:
    """What a list of sweeps shows, in plain values."""
    standings = result.standings()
    return {
        "runs": len(result.rows),
        "failed": result.failed,
        "hedges": len(result.hedges),
        "scenarios": len(result.scenarios),
        "sentence": sentence(result, standings),
        "best": [_plain(result, each) for each in standings[:BEST]],
        "unhedged": next((_plain(result, each) for each in standings if each.hedge == 0), None),
        "source": result.source,
        "demo": result.is_demo,
    }


def sentence(result: SweepResult, standings: tuple[HedgeStanding, ...]) -> str:
    """What stands on top of a sweep."""
    bare = next((each for each in standings if each.hedge == 0), None)
    hedged = [each for each in standings if each.hedge != 0]
    failed = f" {result.failed:,} runs could not be made." if result.failed else ""
    if bare is None or not standings:
        said = "no run could be made."
    elif bare.survived == bare.ran:
        said = f"no hedge was needed: without one there was no call in any of {bare.ran:,} scenarios."
    elif not hedged:
        said = f"without a hedge {_count(bare)}."
    else:
        best = hedged[0]
        said = (
            f"{result.hedge_words(best.hedge)} did best of {len(hedged):,} hedges: {_count(best)}, at a mean cost of "
            f"{best.cost:.1%} of the gold; without a hedge {_count(bare)}."
        )
        if best.rank[:2] > bare.rank[:2]:
            said = f"no hedge did better than none: without one {_count(bare)}."
    whole = said + failed
    return DEMO + whole if result.is_demo else whole[0].upper() + whole[1:]


def _count(standing: HedgeStanding) -> str:
    return f"{standing.survived:,} of {standing.ran:,} scenarios passed without a call"


def _plain(result: SweepResult, standing: HedgeStanding) -> dict[str, Any]:
    hedge = result.hedges[standing.hedge]
    return {
        "hedge": result.hedge_words(standing.hedge),
        "template": hedge.template,
        "varied": dict(zip(result.vary, hedge.values, strict=True)),
        "ran": standing.ran,
        "survived": standing.survived,
        "liquidated": standing.liquidated,
        "worst_ltv": standing.worst_ltv,
        "cost": standing.cost,
        "gain": standing.gain,
    }
