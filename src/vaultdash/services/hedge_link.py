"""A hedge as a short text that fits into a link: `h1~GLD~10P410-260918~-5C520-260918`."""

import re
from dataclasses import dataclass
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.listed_hedge import LONGEST_TITLE, USUAL_COMMISSION, ListedHedge, ListedOption, PriceBasis
from vaultdash.domain.option import SHARES_PER_CONTRACT, Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_request import HedgeRequest, LegRequest

VERSION = "h1"
SEPARATOR = "~"  # with letters, digits, - and . all that a link carries as it is
LONGEST_LINK = 1800  # what every browser and mail program carries
MOST_LINKED_LEGS = 60
MOST_COMMISSION = 1000.0
FUNDINGS = {PremiumFunding.LOAN: "loan", PremiumFunding.SELL_GOLD: "gold"}
NUMBER = r"[0-9]{1,7}(?:\.[0-9]{1,6})?"
LEG = re.compile(
    rf"(?P<contracts>-?[1-9][0-9]{{0,6}})(?P<right>[PC])(?P<strike>{NUMBER})-(?P<day>[0-9]{{6}})"
    rf"(?:x(?P<multiplier>[1-9][0-9]{{0,4}}))?(?:-(?P<mid>m)|-o(?P<own>{NUMBER}))?",
    re.ASCII,
)
COMMISSION = re.compile(rf"c({NUMBER})", re.ASCII)
FORM = "a link to a hedge looks like h1~GLD~10P410-260918~-5C520-260918"


@dataclass(frozen=True, slots=True)
class _Leg:
    """What a link says of a leg."""

    right: Right
    strike: float
    expiration: date
    contracts: int
    multiplier: int
    basis: PriceBasis
    price: float | None


def encode(hedge: ListedHedge | HedgeRequest, symbol: str = "GLD") -> str:
    """The hedge as text: number of contracts (below zero sold), right, strike and expiration of each leg.

    `x10` after the day is another size than 100 shares, `-m` trades at mid, `-o7.5` at an own price of 7.50. How it
    is paid follows where that is not cash (`loan`, `gold`), and `c1.2` where the commission is not the usual one. The
    title is not kept. Raises InvalidInput when it has no legs, or more than a link carries.
    """
    if not hedge.legs:
        raise InvalidInput("legs", "must not be empty: there is nothing to link to")
    if len(hedge.legs) > MOST_LINKED_LEGS:
        raise InvalidInput(
            "legs", f"must be at most {MOST_LINKED_LEGS} in a link; save the hedge as a template instead"
        )
    parts = [VERSION, clean_symbol(symbol)]
    parts += [_written(leg) for leg in _legs(hedge)]
    if hedge.funding in FUNDINGS:
        parts.append(FUNDINGS[hedge.funding])
    if hedge.commission != USUAL_COMMISSION:
        parts.append(f"c{_number(hedge.commission)}")
    return SEPARATOR.join(parts)


def decode(text: str, symbol: str | None = None) -> HedgeRequest:
    """What a link asks for; its prices are those of the chain, except own ones.

    With `symbol` a link to options on another one is refused. Raises InvalidInput, which says what cannot be read.
    """
    if len(text) > LONGEST_LINK:
        raise InvalidInput("hedge", f"must have at most {LONGEST_LINK} characters; {FORM}")
    version, _, rest = text.strip().partition(SEPARATOR)
    if version != VERSION:
        raise InvalidInput("hedge", f"is not of a kind that is known here; {FORM}")
    root, *parts = rest.split(SEPARATOR)
    on = clean_symbol(root)
    if symbol is not None and on != symbol:
        raise InvalidInput("hedge", f"is made of options on {on}; your gold is valued by {symbol}")
    commission, funding = USUAL_COMMISSION, PremiumFunding.CASH
    if parts and (told := COMMISSION.fullmatch(parts[-1])):
        commission = float(told.group(1))
        parts.pop()
        if commission > MOST_COMMISSION:
            raise InvalidInput("hedge", f"names a commission above {MOST_COMMISSION:,.0f} USD a contract")
    by_word = {word: each for each, word in FUNDINGS.items()}
    if parts and parts[-1] in by_word:
        funding = by_word[parts.pop()]
    if not 1 <= len(parts) <= MOST_LINKED_LEGS:
        raise InvalidInput("hedge", f"must have 1 to {MOST_LINKED_LEGS} legs; {FORM}")
    legs = tuple(_read(number, part) for number, part in enumerate(parts, start=1))
    return HedgeRequest(title_of(legs), legs, commission, funding)


def title_of(legs: tuple[LegRequest, ...]) -> str:
    """`410 put / 520 call, 18 Sep 2026`; the days of each where they differ."""
    options = [ListedOption(leg.right, leg.strike, leg.expiration) for leg in legs]
    days = {option.expiration for option in options}
    if len(days) > 1:
        title = " / ".join(option.title for option in options)
    else:
        short = [option.title.partition(",")[0] for option in options]
        title = f"{' / '.join(short)}, {next(iter(days)):%-d %b %Y}"
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def _legs(hedge: ListedHedge | HedgeRequest) -> list[_Leg]:
    if isinstance(hedge, HedgeRequest):
        return [
            _Leg(leg.right, leg.strike, leg.expiration, leg.contracts, leg.multiplier, leg.basis, leg.price)
            for leg in hedge.legs
        ]
    return [
        _Leg(
            leg.option.right,
            leg.option.strike,
            leg.option.expiration,
            leg.contracts,
            leg.option.multiplier,
            leg.basis,
            leg.price,
        )
        for leg in hedge.legs
    ]


def _written(leg: _Leg) -> str:
    size = "" if leg.multiplier == SHARES_PER_CONTRACT else f"x{leg.multiplier}"
    text = f"{leg.contracts}{leg.right.value}{_number(leg.strike)}-{leg.expiration:%y%m%d}{size}"
    if leg.basis is PriceBasis.MID:
        return f"{text}-m"
    if leg.basis is PriceBasis.OWN and leg.price is not None:
        return f"{text}-o{_number(leg.price)}"
    return text


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _read(number: int, part: str) -> LegRequest:
    found = LEG.fullmatch(part)
    if found is None:
        raise InvalidInput("hedge", f"cannot be read at its leg {number}; {FORM}")
    day = found["day"]
    try:
        expiration = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError:
        raise InvalidInput("hedge", f"names no day at its leg {number}: 260918 is 18 September 2026") from None
    strike = float(found["strike"])
    if strike <= 0:
        raise InvalidInput("hedge", f"names no strike at its leg {number}")
    own = found["own"]
    return LegRequest(
        right=Right(found["right"]),
        strike=strike,
        expiration=expiration,
        contracts=int(found["contracts"]),
        basis=PriceBasis.MID if found["mid"] else PriceBasis.OWN if own else PriceBasis.MARKET,
        price=None if own is None else float(own),
        multiplier=int(found["multiplier"] or SHARES_PER_CONTRACT),
    )
