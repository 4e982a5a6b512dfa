"""The listed contracts that a hedge may be made of, from the chains of a few expirations."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError, Unavailable
from vaultdash.domain.listed_hedge import HedgeMarket, ListedOption, Rejected
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.option_chains import Listing, OptionChains
from vaultdash.services.quote_words import reasons_words

USUAL_HORIZON = timedelta(days=120)  # a third of a year: time decays slowly yet, and a roll is not near
USUAL_EXPIRATIONS = 3
MOST_EXPIRATIONS = 40  # each costs the source a request


class HedgeMarkets:
    """Loads chains of what values the gold as they are needed; `OptionChains` remembers them."""

    def __init__(self, chains: OptionChains, symbol: Callable[[], str], *, demo: bool = False) -> None:
        self._chains = chains
        self._symbol = symbol
        self._demo = demo

    def withheld(self, market: HedgeMarket) -> str | None:
        """Why nothing may be recommended on these quotes."""
        return withheld_by(market, demo=self._demo)

    async def of(self, horizon: date | None = None, *, latest: date | None = None) -> HedgeMarket:
        """The contracts that expire on `horizon` or after, of three expirations, or of all until `latest`.

        Without a horizon it is the first expiration at least 120 days away, else the last that is listed. Raises
        InvalidInput when nothing is listed so far away, Unavailable in words when no chain can be had.
        """
        listing = await self._listing()
        days = expirations_from(listing, horizon, latest)
        most = USUAL_EXPIRATIONS if latest is None else MOST_EXPIRATIONS
        return await self._market(listing, days[:most], left=len(days[most:]) if latest is not None else 0)

    async def on(self, wanted: Sequence[date]) -> HedgeMarket:
        """The contracts of these expirations alone; raises NotFound for a day that is not listed, else as `of`."""
        listing = await self._listing()
        for day in wanted:
            if day not in listing.days:
                near = sorted(listing.days, key=lambda other: abs((other - day).days))[:2]
                raise NotFound(
                    f"{listing.symbol} lists no options of {day:%-d %b %Y}; the nearest are "
                    f"{' and '.join(f'{each:%-d %b %Y}' for each in sorted(near))}"
                )
        return await self._market(listing, sorted(set(wanted)))

    async def nearest(self, months: Sequence[float]) -> HedgeMarket:
        """The contracts of the listed expirations nearest to these numbers of months from today."""
        listing = await self._listing()
        wanted = [listing.today + timedelta(days=round(each * 365 / 12)) for each in months]
        return await self._market(
            listing, sorted({min(listing.days, key=lambda day: abs((day - at).days)) for at in wanted})
        )

    async def _listing(self) -> Listing:
        symbol = self._symbol()
        try:
            return await self._chains.expirations(symbol)
        except (ProviderError, NotFound) as error:
            raise Unavailable(_no_chain(symbol, str(error))) from error

    async def _market(self, listing: Listing, days: Sequence[date], left: int = 0) -> HedgeMarket:
        chains: list[PricedChain] = []
        missing: dict[date, str] = {}
        for day in days:
            try:
                chains.append(await self._chains.chain(listing.symbol, day))
            except (ProviderError, NotFound) as error:
                missing[day] = str(error)
        if not chains:
            raise Unavailable(_no_chain(listing.symbol, next(iter(missing.values()), "nothing is listed")))
        options, rejected = [], []
        for chain in chains:
            for option in chain.options:
                listed = listed_option(option)
                if option.is_usable:
                    options.append(listed)
                else:
                    rejected.append(Rejected(listed, reasons_words(option.reasons)))
        crossed = sum("crossed" in option.reasons for chain in chains for option in chain.options)
        return HedgeMarket(
            symbol=listing.symbol,
            spot=chains[0].underlying.price,
            at=min(chain.at for chain in chains),
            source=", ".join(dict.fromkeys(chain.source for chain in chains)),
            options=tuple(options),
            rejected=tuple(rejected),
            expirations=listing.days,
            is_stale=any(chain.is_stale for chain in chains),
            is_demo=any(chain.is_demo for chain in chains),
            remarks=tuple(_remarks(chains, missing, crossed, left)),
        )


def expirations_from(listing: Listing, horizon: date | None, latest: date | None = None) -> tuple[date, ...]:
    """The listed days at or after a horizon and until `latest`; the usual horizon unless one is given."""
    if horizon is None:
        usual = listing.today + USUAL_HORIZON
        horizon = next((day for day in listing.days if day >= usual), listing.days[-1])
    if horizon < listing.today:
        raise InvalidInput("horizon", f"{horizon} has passed; give a day from {listing.today} on")
    last = listing.days[-1]
    if horizon > last:
        raise InvalidInput(
            "horizon", f"{horizon} is after the last expiration of {listing.symbol} that is listed, {last}"
        )
    if latest is not None and latest < horizon:
        raise InvalidInput("latest", f"{latest} is before the horizon of {horizon}")
    days = tuple(day for day in listing.days if horizon <= day and (latest is None or day <= latest))
    if not days:
        after = next(day for day in listing.days if day >= horizon)
        raise InvalidInput("latest", f"{latest} leaves no expiration; the first at or after {horizon} is {after}")
    return days


def listed_option(option: PricedOption) -> ListedOption:
    """A contract of a priced chain as hedges know it, with its own volatility, else its smile's."""
    quote, contract = option.quote, option.quote.contract
    own = option.implied_volatility if option.greeks_from != "surface" else None
    return ListedOption(
        right=contract.right,
        strike=contract.strike,
        expiration=contract.expiration,
        bid=quote.bid,
        ask=quote.ask,
        multiplier=contract.multiplier,
        volatility=own if own is not None else option.surface_volatility,
        open_interest=quote.open_interest,
        volume=quote.volume,
        root=contract.root,
    )


def withheld_by(market: HedgeMarket, *, demo: bool) -> str | None:
    """Why nothing may be recommended on a market's quotes; with `demo` invented ones were asked for."""
    if market.is_demo and not demo:
        return "The option quotes are invented (DEMO), because no real ones could be had: nothing is recommended."
    if market.is_stale:
        return (
            f"The option quotes are of {market.at:%-d %b %Y, %H:%M} UTC, and newer ones are missing: no "
            "recommendation until they arrive."
        )
    return None


def _no_chain(symbol: str, reason: str) -> str:
    return (
        f"No option quotes of {symbol} can be had ({reason}), so no hedge of listed contracts can be found; try "
        "again later, or give contracts with their quotes"
    )


def _remarks(chains: Sequence[PricedChain], missing: dict[date, str], crossed: int, left: int) -> list[str]:
    said = []
    if any(chain.is_demo for chain in chains):
        said.append("the option quotes are invented (DEMO)")
    said += [
        f"the quotes of {chain.expiration:%-d %b %Y} are old, of {chain.at:%-d %b %Y, %H:%M} UTC"
        for chain in chains
        if chain.is_stale
    ]
    said += [
        f"newer quotes could not be had: {problem}" for problem in dict.fromkeys(c.problem for c in chains) if problem
    ]
    said += [f"the chain of {day:%-d %b %Y} could not be had: {reason}" for day, reason in missing.items()]
    if crossed:
        are, their = ("contract is", "its") if crossed == 1 else ("contracts are", "their")
        said.append(f"{crossed:,} {are} not used because {their} bid is above the ask: one of the two is old")
    if left:
        said.append(f"{left} later expirations are left out; name an earlier last day to choose others")
    return said
