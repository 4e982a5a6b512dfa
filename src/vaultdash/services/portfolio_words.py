"""What a change of a portfolio was, in words: two portfolios compared."""

from collections.abc import Callable, Collection, Mapping

from vaultdash.domain.collateral import Lot
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.domain.record import PortfolioChange

COUNTING_WORDS = {
    HedgeCounting.IGNORED: "ignored",
    HedgeCounting.AFTER_PAYMENT: "after payment",
    HedgeCounting.CREDITED: "credited",
}
FUNDING_WORDS = {
    PremiumFunding.CASH: "cash",
    PremiumFunding.LOAN: "the loan",
    PremiumFunding.SELL_GOLD: "sold gold",
}
ACTOR_WORDS = {
    "page": "on the settings page",
    "api": "through the API",
    "cli": "by a vault-dash command",
    "start": "at the start",
}
# What each setting of the first start says of a portfolio.
TOLD_BY: Mapping[str, Callable[[Portfolio], object]] = {
    "collateral": lambda held: held.collateral.instrument.symbol,
    "units": lambda held: sum(lot.units for lot in held.collateral.lots),
    "loan_amount": lambda held: held.loan.amount,
    "loan_currency": lambda held: held.loan.currency,
    "margin_call_ltv": lambda held: held.loan.margin_call_ltv,
    "warning_ltv": lambda held: held.loan.warning_ltv,
    "close_out_ltv": lambda held: held.loan.close_out_ltv,
    "hedge_counting": lambda held: held.loan.hedge_counting,
    "reference_rate": lambda held: held.loan.interest.reference_rate,
    "loan_spread": lambda held: held.loan.interest.spread,
}
Fields = tuple[tuple[str, Callable[[Portfolio], str]], ...]
NAMES: Fields = (
    ("name", lambda held: held.name),
    ("lender", lambda held: held.lender or "none"),
)
TERMS: Fields = (
    ("call LTV", lambda held: f"{held.loan.margin_call_ltv:g}"),
    ("warning LTV", lambda held: f"{held.loan.warning_ltv:g}"),
    ("close-out LTV", lambda held: f"{held.loan.close_out_ltv:g}"),
    ("target LTV", lambda held: f"{held.target_ltv:g}"),
    ("hedge counted", lambda held: COUNTING_WORDS[held.loan.hedge_counting]),
    ("haircut", lambda held: f"{held.loan.hedge_haircut:g}"),
    ("reference rate", lambda held: f"{held.loan.interest.reference_rate * 100:g} %"),
    ("spread", lambda held: f"{held.loan.interest.spread * 100:g} %"),
    ("day count", lambda held: held.loan.interest.day_count.value),
    ("interest", lambda held: "added to the loan" if held.loan.interest.capitalised else "paid in cash"),
    ("cure days", lambda held: str(held.loan.cure_days)),
    ("owed as of", lambda held: str(held.loan.as_of or "no day")),
)


def settings_words(given: Collection[str], first: Portfolio, kept: Portfolio | None) -> str | None:
    """A sentence when settings that are `given` say something else of the `first` portfolio than what is kept."""
    names = [
        f"VAULT_{name.upper()}"
        for name, told in TOLD_BY.items()
        if name in given and (kept is None or told(kept) != told(first))
    ]
    if not names:
        return None
    return (
        f"{', '.join(names)}: set in the environment, but what is kept since the first start differs and holds. "
        "Change the portfolio on the settings page or with `vault-dash portfolio set`, or take the setting out"
    )


def changed_meanwhile_words(name: str, last: PortfolioChange | None) -> str:
    """Why a change is refused that was made on an older version: who changed what, and when."""
    if last is None:
        return f"{name} was changed meanwhile; look at it again before changing it"
    way = ACTOR_WORDS.get(last.actor, f"by {last.actor}")
    return (
        f"{name} was changed {way} at {last.at:%H:%M on %-d %b %Y} UTC, after you had read it ({last.what}). "
        "Look at it again before changing it"
    )


def change_words(before: Portfolio | None, after: Portfolio | None) -> str:
    """`loan 600,000 → 550,000 USD; call LTV 0.75 → 0.72`; `nothing` when the two are equal.

    None before means that it was made, None after that it was removed.
    """
    if after is None:
        return "removed" if before is not None else "nothing"
    if before is None:
        gold = ", ".join(lot_words(lot) for lot in after.collateral.lots)
        held = [f"holds {option_words(option)}" for option in after.options]
        owed = f"{_money(after.loan.amount)} {after.loan.currency}"
        return "; ".join([f"made: {gold} against a loan of {owed}", *held])
    found = [*_fields(NAMES, before, after), *_loan(before, after), *_fields(TERMS, before, after)]
    return "; ".join([*found, *_interest(before, after), *_lots(before, after), *_options(before, after)]) or (
        "nothing" if before == after else "figures too small to show"
    )


def lot_words(lot: Lot) -> str:
    """`2,173.91 shares of GLD`, with the entry price where there is one."""
    paid = "" if lot.entry_price is None else f" at {lot.entry_price:,.2f} USD"
    return f"{_number(lot.units)} {lot.instrument.unit} of {lot.symbol}{paid}"


def contract_words(option: HeldOption) -> str:
    """`GLD 17 Jul 2026 440 put`."""
    contract = option.contract
    right = "put" if contract.right is Right.PUT else "call"
    return f"{contract.root} {contract.expiration:%-d %b %Y} {contract.strike:g} {right}"


def option_words(option: HeldOption) -> str:
    """`5 GLD 17 Jul 2026 440 put, bought at 9.90`."""
    count = abs(option.contracts)
    verb = "bought" if option.contracts > 0 else "sold"
    closed = (
        "" if option.closed_on is None else f", closed on {option.closed_on} at {option.closed_price or 0.0:,.2f}"
    )
    return f"{count:,} {contract_words(option)}, {verb} at {option.price_paid:,.2f}{closed}"


def _fields(fields: Fields, before: Portfolio, after: Portfolio) -> list[str]:
    return [_arrow(name, old, new) for name, read in fields if (old := read(before)) != (new := read(after))]


def _loan(before: Portfolio, after: Portfolio) -> list[str]:
    """Each amount with its currency where that is another one now."""
    was, now = before.loan, after.loan
    old, new = _money(was.amount), _money(now.amount)
    if was.currency != now.currency:
        return [_arrow("loan", f"{old} {was.currency}", new, f" {now.currency}")]
    return [] if old == new else [_arrow("loan", old, new, f" {now.currency}")]


def _interest(before: Portfolio, after: Portfolio) -> list[str]:
    """What became of the interest that had been added to the loan, when the amount is now of a later day."""
    was, now = before.loan, after.loan
    if was.as_of is None or now.as_of is None or now.as_of <= was.as_of:
        return []
    owed = was.statement(now.as_of)
    if owed == was.amount:
        return []
    if now.amount == owed and now.currency == was.currency:
        return [f"{_money(owed - was.amount)} {was.currency} of interest until {now.as_of} added"]
    return [f"with interest {_money(owed)} {was.currency} were owed on {now.as_of}"]


def _lots(before: Portfolio, after: Portfolio) -> list[str]:
    gone = [lot for lot in before.collateral.lots if lot not in after.collateral.lots]
    new = [lot for lot in after.collateral.lots if lot not in before.collateral.lots]
    if len(gone) == len(new):
        return [_lot_change(old, now) for old, now in zip(gone, new, strict=True)]
    return [f"lot removed: {lot_words(lot)}" for lot in gone] + [f"lot added: {lot_words(lot)}" for lot in new]


def _lot_change(old: Lot, new: Lot) -> str:
    if lot_words(old) != lot_words(new):
        return f"gold {lot_words(old)} → {lot_words(new)}"
    if old.entry_mode is not new.entry_mode:
        return f"gold entered by {old.entry_mode} → {new.entry_mode}"
    return _arrow("gold acquired", str(old.acquired_on or "no day"), str(new.acquired_on or "no day"))


def _options(before: Portfolio, after: Portfolio) -> list[str]:
    old, new = ({option.id: option for option in held.options} for held in (before, after))
    found = [f"option removed: {option_words(option)}" for key, option in old.items() if key not in new]
    found += [f"option added: {option_words(option)}" for key, option in new.items() if key not in old]
    return found + [_option_change(old[key], new[key]) for key in old if key in new and old[key] != new[key]]


def _option_change(old: HeldOption, new: HeldOption) -> str:
    name = contract_words(old)
    if old.closed_on is None and new.closed_on is not None:
        return f"{name} closed on {new.closed_on} at {new.closed_price or 0.0:,.2f}"
    if old.closed_on is not None and new.closed_on is None:
        return f"{name} open again"
    pairs = (
        ("contract", contract_words(old), contract_words(new)),
        ("contracts", f"{old.contracts:,}", f"{new.contracts:,}"),
        ("price paid", f"{old.price_paid:,.2f}", f"{new.price_paid:,.2f}"),
        ("opened", str(old.opened_on), str(new.opened_on)),
        ("paid from", FUNDING_WORDS[old.funding], FUNDING_WORDS[new.funding]),
        ("closed", str(old.closed_on), str(new.closed_on)),
        ("closing price", f"{old.closed_price or 0.0:,.2f}", f"{new.closed_price or 0.0:,.2f}"),
    )
    words = [_arrow(what, was, now) for what, was, now in pairs if was != now]
    return f"{name}: {', '.join(words) or 'note changed'}"


def _arrow(name: str, old: str, new: str, unit: str = "") -> str:
    return f"{name} {old} → {new}{unit}"


def _money(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00")


def _number(units: float) -> str:
    return f"{units:,.6f}".rstrip("0").rstrip(".")
