"""vault-dash risk and selloffs: the odds of a call and past falls replayed, in a terminal."""

import math
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.services.heartbeat import Beat
    from vaultdash.services.loan_stress import StressReport
    from vaultdash.services.odds_report import Odds
    from vaultdash.services.odds_simulation import Progress
    from vaultdash.services.selloff_replay import SelloffReport
    from vaultdash.services.vault import Vault

WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def add_risk_commands(app: typer.Typer, with_vault: WithVault, show: "Callable[[Table], None]") -> None:
    """`risk` and `selloffs`; `with_vault` runs work on a Vault and ends the command when it is refused."""

    @app.command("risk")
    def risk(
        volatility: Annotated[
            float | None, typer.Option(help="Fraction a year; default the best that is known")
        ] = None,
        drift: Annotated[float | None, typer.Option(help="Your own view: fraction a year, continuous")] = None,
        wanted: Annotated[float, typer.Option(help="Probability over a year for the reverse; default 0.05")] = 0.05,
        simulate: Annotated[bool, typer.Option(help="Simulate models as well; takes some seconds")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print what /api/risk answers")] = False,
    ) -> None:
        """How likely a margin call is, how far away, and what a fall of gold would do."""

        async def ask(vault: "Vault") -> "tuple[Beat, Odds, StressReport]":
            from vaultdash.domain.errors import Unavailable
            from vaultdash.domain.validation import open_fraction

            open_fraction("wanted", wanted)
            beat = await vault.heartbeat.beat()
            if beat.snapshot is None:
                raise Unavailable(f"No price of {vault.book.symbol}: {beat.problem}")
            odds = await vault.odds.look(beat, beat.snapshot, volatility=volatility, view=drift)
            if simulate:
                with vault.odds.told.heard_by(_say_progress):
                    odds = await vault.odds.simulated(odds)
            is_demo = beat.status is not None and beat.status.quote.is_demo
            return beat, odds, await vault.stress.table(beat.snapshot, invented=is_demo)

        beat, odds, stress = with_vault(ask)
        if as_json:
            _print_json(odds, stress, beat, wanted)
            return
        for line in odds_lines(odds, beat, wanted):
            typer.echo(line)
        show(models_table(odds))
        show(stress_table(stress))
        for remark in stress.remarks:
            typer.echo(remark)

    @app.command("selloffs")
    def selloffs(
        ltv: Annotated[
            float | None,
            typer.Option(help="Draw a loan of this LTV at each peak, such as 0.60; default today's loan"),
        ] = None,
        start: Annotated[
            datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Your own days instead")
        ] = None,
        end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print what /api/risk/selloffs answers")] = False,
    ) -> None:
        """Past falls of gold replayed on the loan: who would have been called, when, and what would have cured it."""

        async def ask(vault: "Vault") -> "tuple[Beat, SelloffReport]":
            from vaultdash.domain.errors import Unavailable

            beat = await vault.heartbeat.beat()
            if beat.snapshot is None:
                raise Unavailable(f"No price of {vault.book.symbol}: {beat.problem}")
            if start is None and end is None:
                return beat, await vault.selloffs.named(beat.snapshot, ltv)
            first, last = (None if day is None else day.date() for day in (start, end))
            return beat, await vault.selloffs.between(beat.snapshot, first, last, ltv)

        beat, report = with_vault(ask)
        if as_json:
            from vaultdash.api.respond import encode
            from vaultdash.api.risk_answers import selloffs_answer

            typer.echo(encode(selloffs_answer(report, beat.statuses.get)).decode())
            return
        from vaultdash.services.risk_words import selloffs_sentence

        if report.is_demo:
            typer.echo("Everything below is played on an INVENTED history (DEMO).")
        typer.echo(selloffs_sentence(report))
        show(selloffs_table(report))
        for line in selloff_lines(report):
            typer.echo(line)


def _say_progress(progress: "Progress") -> None:
    """On one line that is written over, where somebody is looking."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{progress.words if progress.is_working else ''}", nl=False, err=True)


def odds_lines(odds: "Odds", beat: "Beat", wanted: float) -> list[str]:
    """The odds in a few lines, with what they stand on."""
    from vaultdash.services.odds_report import lower_odds
    from vaultdash.services.risk_words import held_words, money, odds_sentence, time_words

    snapshot, chosen, rate = odds.snapshot, odds.volatility, odds.snapshot.rate
    sigmas = ", ".join(f"{sigmas:.1f} of a {name}" for name, sigmas in odds.sigmas())
    distance = f"the {odds.passed} limit is passed" if odds.passed else f"standard deviations: {sigmas}"
    ever = "" if odds.time.median is not None else f"; {odds.time.ever:.0%} are ever called"
    reverse = lower_odds(odds, wanted, 12)[0]
    days = snapshot.portfolio.loan.cure_days
    begin = "from this price" if odds.passed else "after a call"
    gap = f"{odds.gap:.1%}: {begin}, the close-out level is reached within {days} business days"
    source = "" if beat.status is None else f", {beat.status.quote.source}, {beat.status.quote.at:%Y-%m-%d %H:%M} UTC"
    return [
        odds_sentence(odds),
        f"Price            {snapshot.price:.2f} {snapshot.portfolio.collateral.quoted_by}{source}; call at "
        f"{snapshot.margin_call_price:.2f}"
        + ("" if odds.passed else f", a fall of {snapshot.drop_to_margin_call:.1%}")
        + held_words(rate),
        f"Distance         {distance}",
        f"Time to a call   half of all courses within {time_words(odds.time.median)}, a tenth within "
        f"{time_words(odds.time.tenth)} (no drift{ever})",
        f"Gap              {'the close-out limit is passed' if odds.passed == 'close-out' else gap}",
        f"For {wanted:6.1%}       over a year, no drift: LTV {reverse.ltv:.1%}, a loan of "
        f"{money(reverse.loan, rate)}: repay {money(reverse.ways.repay_cash, rate)} or add gold worth "
        f"{money(reverse.ways.add_gold)}",
        f"Volatility       {chosen.yearly:.1%} a year ahead: {chosen.name}, {chosen.source}",
        *(
            f"  {choice.yearly:6.1%}         {probability:.1%} over a year: {choice.name}, {choice.source}"
            for choice, probability in odds.by_volatility()
            if choice is not chosen
        ),
    ]


def models_table(odds: "Odds") -> "Table":
    """Probabilities by model and drift."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from vaultdash.services.odds_volatility import HORIZONS

    table = Table(title="Probability of a margin call within", box=SIMPLE_HEAD, title_justify="left")
    table.add_column("model")
    table.add_column("drift a year")
    for months in HORIZONS:
        table.add_column(f"{months} month{'s' if months > 1 else ''}", justify="right")
    for model in odds.models:
        errors = model.errors or {}
        cells = [
            f"{probability:.1%}" + (f" ± {errors[months]:.1%}" if months in errors else "")
            for months, probability in model.by_months.items()
        ]
        table.add_row(model.model, f"{model.drift.value:+.1%}  {model.drift.name}", *cells)
    return table


def stress_table(report: "StressReport") -> "Table":
    """Falls and lender shocks with their cures."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title="If gold falls, or the lender changes its terms", box=SIMPLE_HEAD, title_justify="left")
    table.add_column("what")
    price, rate = report.snapshot.price, report.snapshot.rate
    for name in ("price", "LTV", f"repay, {rate.currency}", "or add gold, USD", "or sell gold, USD"):
        table.add_column(name, justify="right")
    table.add_column("zone")
    lines = [(f"{row.change:+.0%}", row.price, row.lender_ltv, row.cure, row.zone) for row in report.rows]
    lines += [(shock.name, price, shock.ltv, shock.cure, shock.zone) for shock in report.shocks]
    for name, at, ltv, cure, zone in lines:
        ways = (rate.own(cure.repay_cash), cure.add_gold, cure.sell_gold)
        enough = [f"{way:,.0f}" if math.isfinite(way) else "not enough" for way in ways]
        shown = enough if cure.repay_cash > 0 else ["", "", ""]
        table.add_row(name, f"{at:,.2f}", f"{ltv:.1%}", *shown, zone.value.replace("_", "-"))
    return table


def selloffs_table(report: "SelloffReport") -> "Table":
    """A row a fall: called or not, when, and how high the LTV went."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from vaultdash.services.risk_words import outcome_words

    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)  # in 140 columns where nobody looks
    table.add_column("fall", min_width=16)
    table.add_column("from", no_wrap=True)
    table.add_column("depth", justify="right", no_wrap=True)
    table.add_column("outcome", min_width=15)
    for name in ("called at a close", "at a low of"):
        table.add_column(name, no_wrap=True)
    table.add_column("highest LTV, at a low", min_width=12)
    for name in ("deadline, LTV", "may be sold"):
        table.add_column(name, no_wrap=True)
    for row in report.rows:
        head = [row.name, str(row.start), "" if row.depth is None else f"{row.depth:.1%}"]
        found = row.replay
        if found is None:
            table.add_row(*head, row.missing or "", *[""] * 5)
            continue
        call, lows = found.call, found.worst_low_ltv
        then = "" if call is None or call.deadline_ltv is None else f", {call.deadline_ltv:.1%}"
        table.add_row(
            *head,
            outcome_words(found),
            "" if call is None else f"{call.on}, {call.price:,.2f}",
            str(found.called_intraday_on or ""),
            f"{found.worst_ltv:.1%}" + ("" if lows is None else f", {lows:.1%}"),
            "" if call is None else f"{call.deadline}{then}",
            str(found.sale_on or ""),
        )
    return table


def selloff_lines(report: "SelloffReport") -> list[str]:
    """What would have cured each call, and what the table stands on."""
    from vaultdash.services.risk_words import cure_sentence

    loan = report.loan
    said = [
        f"{row.name}: "
        + cure_sentence(row.replay.call, f"{loan.warning_ltv:.0%}", row.replay.call.to_warning, report.rate)
        for row in report.rows
        if row.replay is not None and row.replay.call is not None
    ]
    of = "prices of the time" if report.rate.is_dollar else report.priced_by
    start = (
        f"Today's loan at {report.ltv:.1%}, each path scaled to today's price of {report.price:,.2f}"
        if report.is_todays_loan
        else f"A loan drawn at {report.ltv:.1%} at each start on the units of today, {of}"
    )
    said.append(
        f"{start}; call {loan.margin_call_ltv:.0%}, close-out {loan.close_out_ltv:.0%}. Daily prices of "
        f"{report.symbol}, {report.source}, {report.first} to {report.last}."
    )
    return [*said, *report.remarks]


def _print_json(odds: "Odds", stress: "StressReport", beat: "Beat", wanted: float) -> None:
    from vaultdash.api.respond import encode
    from vaultdash.api.risk_answers import probability_answer, stress_answer
    from vaultdash.services.odds_question import of_portfolio
    from vaultdash.services.odds_report import lower_odds

    judge, gold = beat.statuses.get, beat.gold_status
    assert gold is not None  # there is a snapshot
    said = probability_answer(of_portfolio(odds), gold, odds.at, lower_odds(odds, wanted, 12), judge)
    typer.echo(encode({"call_probability": said, "stress": stress_answer(stress, gold, judge)}).decode())
