"""Where each number of a replay stands in the arrays that its kernel reads and writes; all of them are float64."""

from typing import NamedTuple

from vaultdash.pricing.base import FloatArray

SHARES = 100.0  # a contract
TOLERANCE = 1e-9  # an LTV this near its limit is on it
YEAR = 365.0
DAYS_IN_MONTH = YEAR / 12.0

IGNORED, AFTER_PAYMENT, CREDITED = range(3)
PERCENT_OF_SPOT, DELTA, DISTANCE_TO_CALL, FIRST_ABOVE_CALL = range(4)
BY_CASH, BY_LOAN, BY_GOLD = range(3)
ENTRY, ROLL, RATCHET, MONETISE_DELTA, MONETISE_LTV, CURE, EXPIRY, LIQUIDATION = range(8)
NO_CALL, BY_ITSELF, WITH_HEDGE, WITH_CASH, WITH_GOLD, OPEN, LIQUIDATED = range(7)
NO_LOAN, FINE, CALLED, FLAT = range(4)  # where a loan stands: not drawn yet, no call, called, gone
LEAVE, END, REPLACE = range(3)  # what an order does with a leg

# terms: what does not change during a replay
AMOUNT, UNITS, START, START_LTV, CALL, CLOSE_OUT, TARGET, COUNTING, HAIRCUT, CURE_DAYS, INTEREST, BASIS = range(12)
CAPITALISED, SPARE, SETTLEMENT, SAME_CLOSE, COMMISSION, LEAST, OF_MID, VEGA_POINTS, SLIP = range(12, 21)
AT_THE_MONEY, KAPPA, SLOPE, CURVATURE, FLOOR, NEAR_STEP, FAR_STEP, NEAR_DAYS, IS_OBSERVED = range(21, 30)
ROLL_DAYS, RATCHET_AT, DELTA_AT, LTV_AT, REBUYS, BUDGET, COVERAGE, FUNDING = range(30, 38)
TERMS = 38

# legs: a row for each leg of the template
LEG_RIGHT, LEG_SIDE, LEG_RULE, LEG_VALUE, LEG_MONTHS, LEG_SHARE, LEG_CONTRACTS = range(7)
LEG_FIELDS = 7

# account: what changes
HELD_UNITS, PRINCIPAL, ACCRUED, CASH, SPARE_LEFT, COMING_GOLD, COMING_HEDGE, BORROWED, INTEREST_SUM = range(9)
STANDING, DEADLINE, QUARTER, IS_ORDERED, IS_CURE, REPAYS, ORDER_CASH, ORDER_UNITS, ARMED_DELTA, ARMED_LTV = range(
    9, 19
)
IS_DONE, FROM_HEDGE, TRADES, CALLS, MISSING, WORST, PAID, RECOVERED, ROLLS, ROLLED_ON = range(19, 29)
ENTERED = 29
ACCOUNT = 30

# book: a row for each leg; what is held of it, signed, and what an order does with it
HELD, STRIKE, EXPIRES, COLUMN, BOUGHT_AT, TRY_AFTER, EVER, TO_DO, TO_CLOSE, WHY = range(10)
NEW_STRIKE, NEW_EXPIRES, NEW_COLUMN, NEW_BID, NEW_ASK, WANTED = range(10, 16)
BOOK = 16

# days: a row each, a column a day; ordinals of the day and of the next session; LOG_CLOSE is the close's logarithm
DAY, NEXT_DAY, CLOSE, LOW, LEVEL, LONG_RUN, RATE, LOG_CLOSE = range(8)
DAY_FIELDS = 8

# contracts and quoted: recorded contracts, a column each
CONTRACT_RIGHT, CONTRACT_STRIKE, CONTRACT_EXPIRES = range(3)
CONTRACT_FIELDS = 3
BID, ASK, SIGMA = range(3)
QUOTE_FIELDS = 3

# series: a row each, a column a day
AT_UNITS, AT_LOAN, AT_HEDGE, AT_CASH, AT_EQUITY, AT_LENDER, AT_IGNORED, AT_PAID, AT_CREDITED, AT_LOW = range(10)
AT_HEADROOM, AT_FLOW, SCHEDULE, VALUE, DEEPEST, DUE_GOLD, DUE_HEDGE = range(10, 17)
SERIES = 17

# trades and calls: a row each
TRADE_DAY, TRADE_REASON, TRADE_LEG, TRADE_STRIKE, TRADE_EXPIRES, TRADE_CONTRACTS, TRADE_PRICE, TRADE_MID = range(8)
TRADE_COMMISSION, TRADE_CASH = range(8, 10)
TRADE_FIELDS = 10
CALL_DAY, CALL_PRICE, CALL_LTV, CALL_ENDED, CALL_ENDING, CALL_HEDGE, CALL_CASH, CALL_GOLD, CALL_UNITS = range(9)
CALL_FIELDS = 9

# figures: what a replay comes to; days by their index, -1 for never
FIRST_BREACH, FIRST_INTRADAY, BREACH_DAYS, MOST_LTV, MOST_LTV_ON, LEAST_ROOM, ENDED, VALUE_END = range(8)
LOAN_END, EQUITY_END = range(8, 10)
MOST_IGNORED, MOST_PAID, MOST_CREDITED, BREACH_IGNORED, BREACH_PAID, BREACH_CREDITED = range(10, 16)
FIGURES = 16


class Early(NamedTuple):
    """The table of what early exercise adds to a put; both empty where options are European."""

    values: FloatArray
    depths: FloatArray


class Shape(NamedTuple):
    """The smile's parameters; `thirty` is f(30/365)."""

    at_the_money: float
    kappa: float
    thirty: float
    slope: float
    curvature: float
    floor: float


class Run(NamedTuple):
    """All arrays of one replay.

    Read: `days` [row, day], `listed` and `quarters` ordinals ascending, `contracts` [row, contract] and `quoted`
    [row, day, contract] with NaN where nothing was quoted, `early`, `terms`, `legs`. Written: `account`, `book`,
    `series`, `trades`, `calls`. In `series` the rows from SCHEDULE on are repayments that are given, the mids of what
    is held, the largest delta of its bought puts, and what reaches the lender.
    """

    days: FloatArray
    listed: FloatArray
    quarters: FloatArray
    contracts: FloatArray
    quoted: FloatArray
    early: Early
    terms: FloatArray
    legs: FloatArray
    account: FloatArray
    book: FloatArray
    series: FloatArray
    trades: FloatArray
    calls: FloatArray


class Sets(NamedTuple):
    """Many replays of the same days: as in `Run`, but a row for each of terms, legs, `counts` of legs, account, book
    and `figures`; series, trades and calls are used by one after the other.
    """

    days: FloatArray
    listed: FloatArray
    quarters: FloatArray
    contracts: FloatArray
    quoted: FloatArray
    early: Early
    terms: FloatArray
    legs: FloatArray
    counts: FloatArray
    account: FloatArray
    book: FloatArray
    series: FloatArray
    trades: FloatArray
    calls: FloatArray
    figures: FloatArray
