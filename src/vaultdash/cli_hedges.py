"""vault-dash cheapest: the cheapest hedge of listed contracts for a loan, on the live or a recorded chain."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.domain.listed_hedge import HedgeMarket
    from vaultdash.services.vault import Vault
    from vaultdash.services.workbench_request import CaseChange, CheapestReport, CheapestRequest
    from vaultdash.settings import Settings

WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]
BELOW_THE_LIMIT = 0.01  # on the limit is a call
DAY = ["%Y-%m-%d"]
LATE = time(23, 59)


@dataclass(frozen=True)
class Wish:
    """What was typed about the loan, and which chain it is about."""

    on: date | None
    horizon: date | None
    latest: date | None
    spot: float | None
    units: float | None
    loan: float | None
    ltv: float | None
    call_ltv: float | None
    max_ltv: float | None
    counting: str | None
    split_custody: bool
    broker_margin: float


def add_hedge_commands(
    app: typer.Typer, with_vault: WithVault, settings: "Callable[[], Settings]", show: "Callable[[Table], None]"
) -> None:
    """`cheapest`; `with_vault` runs work on a Vault and ends the command when it is refused."""

    @app.command("cheapest")
    def cheapest(
        on: Annotated[
            datetime | None, typer.Option(formats=DAY, help="The chain recorded on that day; default the live one")
        ] = None,
        horizon: Annotated[
            datetime | None,
            typer.Option(formats=DAY, help="Nothing that expires before; default the first expiration 120 days away"),
        ] = None,
        latest: Annotated[
            datetime | None, typer.Option(formats=DAY, help="The last expiration; default three of them")
        ] = None,
        units: Annotated[float | None, typer.Option(help="Shares; default those of your settings")] = None,
        ltv: Annotated[float | None, typer.Option(help="Loan as a fraction of the gold, such as 0.60")] = None,
        loan: Annotated[float | None, typer.Option(help="Loan in USD instead of --ltv; default your own")] = None,
        spot: Annotated[
            float | None, typer.Option(help="USD a share; default the price of the chain or market")
        ] = None,
        call_ltv: Annotated[float | None, typer.Option(help="At which the lender calls; default your own")] = None,
        max_ltv: Annotated[
            float | None, typer.Option(help="Highest hedged LTV; default 0.01 below the call, for on it is a call")
        ] = None,
        counting: Annotated[
            str | None,
            typer.Option(help="credited, after_payment, ignored, or the credit factor; default your lender's"),
        ] = None,
        funding: Annotated[PremiumFunding, typer.Option(help="Where the premium comes from")] = PremiumFunding.CASH,
        max_loss: Annotated[
            float | None, typer.Option(help="Largest loss with the hedge's cost, a fraction of the gold's value")
        ] = None,
        budget: Annotated[float | None, typer.Option(help="Most it may cost, USD")] = None,
        allow_calls: Annotated[bool, typer.Option("--allow-calls", help="Sell calls as well")] = False,
        min_call_strike: Annotated[float | None, typer.Option(help="Lowest strike of a sold call, USD")] = None,
        split_custody: Annotated[
            bool, typer.Option(help="The gold is pledged elsewhere: a sold call is uncovered at the broker")
        ] = True,
        broker_margin: Annotated[float, typer.Option(help="USD that are free at the broker for sold calls")] = 0.0,
        low: Annotated[float, typer.Option(help="Deepest move of the price that is tested")] = -0.6,
        high: Annotated[float, typer.Option(help="Highest move of the price that is tested")] = 0.6,
        as_json: Annotated[bool, typer.Option("--json", help="Print what /api/hedges/cheapest answers")] = False,
    ) -> None:
        """The cheapest hedge in whole contracts that keeps the LTV below a limit, with the proof that it is."""
        wish = Wish(
            on=_day(on),
            horizon=_day(horizon),
            latest=_day(latest),
            spot=spot,
            units=units,
            loan=loan,
            ltv=ltv,
            call_ltv=call_ltv,
            max_ltv=max_ltv,
            counting=counting,
            split_custody=split_custody,
            broker_margin=broker_margin,
        )

        async def work(vault: "Vault") -> "CheapestReport":
            from vaultdash.services.workbench_request import CheapestRequest, CheckDates

            request = CheapestRequest(
                premium_funding=funding,
                price_range=(low, high),
                max_loss=max_loss,
                budget=budget,
                allow_calls=allow_calls,
                min_call_strike=min_call_strike,
                check_dates=CheckDates.ALL if allow_calls else CheckDates.EXPIRY,
                horizon=wish.horizon,
            )
            return await found(vault, wish, request, settings)

        with quiet_output() if as_json else nullcontext():
            report = with_vault(work)
        if as_json:
            from vaultdash.api.hedge_answers import cheapest_answer
            from vaultdash.api.respond import encode

            typer.echo(encode(cheapest_answer(report)).decode())
            return
        _print(report, show)


@contextmanager
def quiet_output() -> Iterator[None]:
    """What is written to standard output meanwhile goes to standard error: the solver's own library prints there."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # closed: there is nothing to keep clean
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


async def found(
    vault: "Vault", wish: Wish, request: "CheapestRequest", settings: "Callable[[], Settings]"
) -> "CheapestReport":
    """The answer on the chain that was asked for; raises InvalidInput for what contradicts itself."""
    from vaultdash.domain.errors import InvalidInput
    from vaultdash.domain.option import expiry_at

    if wish.ltv is not None and wish.loan is not None:
        raise InvalidInput("--ltv", "and --loan exclude each other: give one of them")
    if wish.on is None:
        await vault.heartbeat.beat()
        market = await vault.workbench.market(wish.horizon, latest=wish.latest)
        change = _change(wish, wish.spot)
        if wish.ltv is not None:
            case, _ = await vault.workbench.case(change)
            change = replace(change, loan_amount=wish.ltv * case.gold_value)
    else:
        market, rate = await recorded_market(vault, settings(), wish)
        change = replace(_owned(vault, wish, market), rate=rate, at=expiry_at(wish.on))
    case, _ = await vault.workbench.case(change)
    limit = case.loan.margin_call_ltv - BELOW_THE_LIMIT if wish.max_ltv is None else wish.max_ltv
    asked = replace(request, max_hedged_ltv=limit, credit=_credit(wish.counting), case=change)
    return await vault.workbench.cheapest(asked, market)


async def recorded_market(vault: "Vault", settings: "Settings", wish: Wish) -> "tuple[HedgeMarket, float]":
    """The contracts of a recorded day as they stood at its close, and what dollars earned then.

    Raises NotFound when nothing was recorded on the day, which says on which days something was.
    """
    from vaultdash.clock import NEW_YORK, NewYorkHours
    from vaultdash.domain.errors import NotFound
    from vaultdash.market.observed.provider import ObservedChains
    from vaultdash.market.observed.store import ObservedSnapshots
    from vaultdash.services.dollar_rate import RateOfADay
    from vaultdash.services.option_chains import OptionChains
    from vaultdash.services.pricing_kernels import PricingKernels
    from vaultdash.services.workbench_market import HedgeMarkets

    assert wish.on is not None
    store = ObservedSnapshots(settings.data_dir)
    symbol = vault.book.symbol
    days = sorted({line.on for line in store.sessions(symbol)})
    if wish.on not in days:
        raise NotFound(f"No chain of {symbol} is recorded on {wish.on}; {_recorded(days, wish.on)}")
    evening = datetime.combine(wish.on, LATE, NEW_YORK).astimezone(UTC)  # recordings are made after the close
    rates = RateOfADay(vault.history, wish.on)
    chains = OptionChains(
        ObservedChains(store, lambda: evening),
        rates,
        NewYorkHours(settings.data_dir / "xnys.json"),
        lambda: evening,
        PricingKernels().engine,
    )
    market = await HedgeMarkets(chains, lambda: symbol).of(wish.horizon, latest=wish.latest)
    return market, (await rates.latest()).value


def _recorded(days: Sequence[date], wanted: date) -> str:
    if not days:
        return "none is at all: `vault-dash snapshots import FILE` brings some"
    near = sorted(sorted(days, key=lambda day: abs((day - wanted).days))[:3])
    return f"the nearest days are {', '.join(map(str, near))}"


def _owned(vault: "Vault", wish: Wish, market: "HedgeMarket") -> "CaseChange":
    """All figures of a case on a recorded day: those typed, else the owner's, at the price of then."""
    assert wish.on is not None
    spot = market.spot if wish.spot is None else wish.spot
    change = _change(wish, spot)
    if change.units is not None and (wish.ltv is not None or change.loan_amount is not None):
        loan = change.loan_amount if wish.ltv is None else wish.ltv * change.units * spot
        return replace(change, loan_amount=loan)
    own = vault.book.in_dollars(wish.on)
    units = own.collateral.shares(wish.on) if change.units is None else change.units
    amount = change.loan_amount if change.loan_amount is not None else own.loan.amount
    return replace(
        change,
        units=units,
        loan_amount=amount if wish.ltv is None else wish.ltv * units * spot,
        margin_call_ltv=own.loan.margin_call_ltv if change.margin_call_ltv is None else change.margin_call_ltv,
        counting=own.loan.hedge_counting if change.counting is None else change.counting,
        haircut=own.loan.hedge_haircut,
    )


def _change(wish: Wish, spot: float | None) -> "CaseChange":
    from vaultdash.services.workbench_request import CaseChange

    return CaseChange(
        spot=spot,
        units=wish.units,
        loan_amount=wish.loan,
        margin_call_ltv=wish.call_ltv,
        split_custody=wish.split_custody,
        broker_margin=wish.broker_margin,
    )


def _credit(text: str | None) -> HedgeCounting | float | None:
    from vaultdash.domain.errors import InvalidInput

    if text is None:
        return None
    word = text.strip().lower().replace("-", "_")
    if word in set(HedgeCounting):
        return HedgeCounting(word)
    try:
        return float(word)
    except ValueError:
        raise InvalidInput(
            "--counting", f"must be {', '.join(HedgeCounting)}, or the credit factor as a number from 0 to 1"
        ) from None


def _print(report: "CheapestReport", show: "Callable[[Table], None]") -> None:
    from vaultdash.terminal_hedges import case_lines, certificate_table, legs_table, report_lines

    for line in case_lines(report.case, report.market):
        typer.echo(line)
    hedge = report.found.hedge
    if hedge is not None and hedge.legs:
        show(legs_table(hedge))
        show(certificate_table(report.found, report.case))
    typer.echo(f"{report.found.status.value} after {report.seconds:.2f} s")
    for line in report_lines(report):
        typer.echo(line)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
