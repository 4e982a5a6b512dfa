"""Named falls of gold: when they began and ended, how deep they were, and in a line what happened."""

import re
from dataclasses import dataclass
from datetime import date

from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.validation import positive

SELLOFF_SOURCE = "unadjusted daily closes of GLD, 2004-11-18 to 2026-08-21 (Yahoo; from 2026-06-08 FMP and Tiingo)"

_MONTH = re.compile(r"\b(january|march|april|june|july|august|september|october)\b")


@dataclass(frozen=True, slots=True)
class Selloff:
    """A fall from a closing high to a closing low of GLD, USD a share; `is_deepest` marks the ten deepest since 2004.

    The ten deepest are the falls between alternating highs and lows with a reversal of 10 %, so they never overlap;
    the others are well-known falls, which may lie within one another.
    """

    id: str
    name: str
    peak_on: date
    trough_on: date
    peak_close: float
    trough_close: float
    told: str
    is_deepest: bool = False
    source: str = SELLOFF_SOURCE

    def __post_init__(self) -> None:
        if self.trough_on <= self.peak_on:
            raise InvalidInput("trough_on", "must be after the peak")
        if positive("trough_close", self.trough_close) >= positive("peak_close", self.peak_close):
            raise InvalidInput("trough_close", "must be below the peak's")

    @property
    def depth(self) -> float:
        """The fall from close to close, a negative fraction."""
        return self.trough_close / self.peak_close - 1.0


def _fall(
    slug: str, name: str, peak: str, trough: str, closes: tuple[float, float], told: str, *, deepest: bool = False
) -> Selloff:
    days = date.fromisoformat(peak), date.fromisoformat(trough)
    return Selloff(slug, name, *days, *closes, told, is_deepest=deepest)


SELLOFFS: tuple[Selloff, ...] = (
    _fall(
        "jan-2026",
        "January 2026",
        "2026-01-29",
        "2026-02-02",
        (495.90, 427.13),
        "Two sessions after the all-time high; 30 January, down 10.3 %, is the worst day of GLD so far.",
    ),
    _fall(
        "jan-jul-2026",
        "January to July 2026",
        "2026-01-29",
        "2026-07-16",
        (495.90, 364.96),
        "From the all-time high to the low of July, with two recoveries on the way.",
    ),
    _fall(
        "mar-2026",
        "March 2026",
        "2026-03-02",
        "2026-03-26",
        (490.00, 400.64),
        "The recovery from January failed just below its high.",
        deepest=True,
    ),
    _fall(
        "spring-2026",
        "April to July 2026",
        "2026-04-17",
        "2026-07-16",
        (445.93, 364.96),
        "A slow slide over three months.",
        deepest=True,
    ),
    _fall(
        "oct-2025",
        "October 2025",
        "2025-10-20",
        "2025-11-04",
        (403.15, 362.32),
        "A tenth lost within eleven sessions of a record high, 6.4 % of it on 21 October.",
    ),
    _fall(
        "2022",
        "2022, interest rates rise",
        "2022-03-08",
        "2022-09-26",
        (191.51, 151.23),
        "From the high after the attack on Ukraine, while dollar interest rose faster than in decades.",
        deepest=True,
    ),
    _fall(
        "2020-2021",
        "August 2020 to March 2021",
        "2020-08-06",
        "2021-03-08",
        (193.89, 157.49),
        "Vaccines arrived and bond yields rose.",
        deepest=True,
    ),
    _fall(
        "aug-2020",
        "August 2020",
        "2020-08-06",
        "2020-08-11",
        (193.89, 179.94),
        "Three sessions after a record high; 5.4 % of it on 11 August.",
    ),
    _fall(
        "mar-2020",
        "March 2020",
        "2020-03-09",
        "2020-03-19",
        (157.81, 138.04),
        "At the outbreak of the pandemic gold was sold with everything else, for cash.",
    ),
    _fall(
        "2016",
        "July to December 2016",
        "2016-07-08",
        "2016-12-15",
        (130.52, 107.34),
        "Yields and the dollar rose, most of all after the election in the United States.",
        deepest=True,
    ),
    _fall(
        "2015",
        "2015, strong dollar",
        "2015-01-22",
        "2015-12-17",
        (125.23, 100.50),
        "A slow fall over most of a year, up to the first rise of dollar interest.",
        deepest=True,
    ),
    _fall(
        "jun-2013",
        "June 2013",
        "2013-06-06",
        "2013-06-27",
        (136.53, 115.94),
        "The Federal Reserve spoke of buying fewer bonds.",
    ),
    _fall(
        "apr-2013",
        "April 2013",
        "2013-04-09",
        "2013-04-15",
        (153.34, 131.31),
        "Four sessions; 15 April, down 8.8 %, was the worst day in thirty years.",
    ),
    _fall(
        "2012-2013",
        "October 2012 to June 2013",
        "2012-10-04",
        "2013-06-27",
        (173.61, 115.94),
        "The end of the long rise: holders of gold funds left, in April and June all at once.",
        deepest=True,
    ),
    _fall(
        "2011-2015",
        "2011 to 2015",
        "2011-08-22",
        "2015-12-17",
        (184.59, 100.50),
        "The bear market as a whole: four years and four months from the high of 2011.",
    ),
    _fall(
        "sep-2011",
        "September 2011",
        "2011-09-06",
        "2011-09-28",
        (182.90, 156.22),
        "After the record high of the debt crisis; margins on gold futures were raised on the way down.",
    ),
    _fall(
        "2008",
        "2008 as a whole",
        "2008-03-17",
        "2008-11-12",
        (99.17, 70.00),
        "From the first close near 100 to the low after the bankruptcy of Lehman Brothers.",
    ),
    _fall(
        "autumn-2008",
        "October and November 2008",
        "2008-10-09",
        "2008-11-12",
        (89.90, 70.00),
        "Funds sold gold to meet margin calls of their own.",
        deepest=True,
    ),
    _fall(
        "summer-2008",
        "Summer 2008",
        "2008-07-15",
        "2008-09-11",
        (96.17, 73.08),
        "Commodities broke and the dollar rose, in the weeks before Lehman Brothers failed.",
        deepest=True,
    ),
    _fall(
        "2006",
        "May and June 2006",
        "2006-05-12",
        "2006-06-14",
        (71.12, 55.62),
        "A rise of a third in two months, given back in one.",
        deepest=True,
    ),
)


def selloff(slug: str) -> Selloff:
    """The named fall with that id, in which a month may be written in full (january-2026); raises NotFound."""
    wanted = _MONTH.sub(lambda month: month.group()[:3], slug.strip().lower())
    for known in SELLOFFS:
        if known.id == wanted:
            return known
    raise NotFound(f"There is no selloff {slug!r}; they are {', '.join(known.id for known in SELLOFFS)}")
