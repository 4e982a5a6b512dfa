"""Portfolios between the API and the Vault: entries become portfolios, portfolios become documents."""

from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from vaultdash.api.portfolio_schemas import (
    CarryAnswer,
    ChangeAnswer,
    CureAnswer,
    LotDocument,
    LotEntry,
    OptionDocument,
    OptionEntry,
    PortfolioContent,
    PortfolioDocument,
    PortfolioEntry,
    SurvivorAnswer,
)
from vaultdash.api.schemas import QuoteAnswer, RateAnswer
from vaultdash.clock import NEW_YORK
from vaultdash.domain.carry import carry
from vaultdash.domain.collateral import Collateral, EntryMode, Lot
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.loan import Interest, Loan, day_count_after, reference_after, restated
from vaultdash.domain.option import OptionContract, Right, contract_from_osi
from vaultdash.domain.portfolio import (
    Portfolio,
    Snapshot,
    cure,
    largest_initial_ltv,
    largest_loan,
    loan_to_value,
)
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.domain.record import PortfolioChange, StoredPortfolio
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.position_csv import RIGHTS, new_option_id

T = TypeVar("T")


def portfolio_of_entry(entry: PortfolioEntry, portfolio_id: str, before: Portfolio | None, today: date) -> Portfolio:
    """The portfolio an entry means: what it leaves out is as before, or as usual; a new amount is of today unless it
    says of which day. Raises InvalidInput.
    """
    loan = None if before is None else before.loan
    if before is None and entry.lots is None:
        raise InvalidInput("lots", "must say what is pledged")
    if loan is None and entry.loan_amount is None:
        raise InvalidInput("loan_amount", "must say what is owed")
    usual = loan or Loan(1.0)
    interest = usual.interest
    currency = _told(entry.currency, usual.currency)
    made = Loan(
        amount=_told(entry.loan_amount, usual.amount),
        currency=currency,
        margin_call_ltv=_told(entry.margin_call_ltv, usual.margin_call_ltv),
        warning_ltv=_told(entry.warning_ltv, usual.warning_ltv),
        close_out_ltv=_told(entry.close_out_ltv, usual.close_out_ltv),
        hedge_counting=_told(entry.hedge_counting, usual.hedge_counting),
        hedge_haircut=_told(entry.hedge_haircut, usual.hedge_haircut),
        interest=Interest(
            _told(entry.reference_rate, reference_after(interest.reference_rate, usual.currency, currency)),
            _told(entry.spread, interest.spread),
            _told(entry.day_count, day_count_after(interest.day_count, usual.currency, currency)),
            _told(entry.capitalised, interest.capitalised),
        ),
        cure_days=_told(entry.cure_days, usual.cure_days),
        as_of=_told(entry.as_of, usual.as_of),
    )
    if loan is not None:
        made = restated(loan, made, today, day_given=_says_day(entry, loan))
    lots = None if entry.lots is None else tuple(_lot(lot, n, len(entry.lots)) for n, lot in enumerate(entry.lots, 1))
    if before is None:
        assert lots is not None
        before = Portfolio(portfolio_id, Collateral(lots), made)
    return replace(
        before,
        collateral=before.collateral if lots is None else Collateral(lots),
        loan=made,
        options=before.options if entry.options is None else _options(entry.options, before.options),
        name=_told(entry.name, before.name),
        lender=_told(entry.lender, before.lender),
        target_ltv=_told(entry.target_ltv, before.target_ltv),
    )


def option_of_entry(entry: OptionEntry, before: HeldOption | None, option_id: str | None = None) -> HeldOption:
    """The position an entry means; what it leaves out is as before. Raises InvalidInput naming what is missing."""
    contract = _contract(entry, None if before is None else before.contract)
    if entry.reopened and (entry.closed_on is not None or entry.closed_price is not None):
        raise InvalidInput("reopened", "contradicts closed_on and closed_price")
    if before is not None:
        if entry.reopened:
            before = replace(before, closed_on=None, closed_price=None)
        return replace(
            before,
            contract=contract,
            contracts=_told(entry.contracts, before.contracts),
            price_paid=_told(entry.price_paid, before.price_paid),
            opened_on=_told(entry.opened_on, before.opened_on),
            funding=_told(entry.funding, before.funding),
            closed_on=_told(entry.closed_on, before.closed_on),
            closed_price=_told(entry.closed_price, before.closed_price),
            note=_told(entry.note, before.note),
        )
    return HeldOption(
        id=option_id or new_option_id(),
        contract=contract,
        contracts=_needed("contracts", entry.contracts),
        price_paid=_needed("price_paid", entry.price_paid),
        opened_on=_needed("opened_on", entry.opened_on),
        funding=_told(entry.funding, PremiumFunding.CASH),
        closed_on=entry.closed_on,
        closed_price=entry.closed_price,
        note=_told(entry.note, ""),
    )


def document(stored: StoredPortfolio, book: PortfolioBook, now: datetime) -> PortfolioDocument:
    """A portfolio as it is kept."""
    portfolio, today = stored.portfolio, now.astimezone(NEW_YORK).date()
    owed = portfolio.loan.owed(today)
    collateral = portfolio.collateral
    entered = content(portfolio, today)
    is_current = portfolio.id == book.current.id
    return PortfolioDocument(
        **{name: getattr(entered, name) for name in PortfolioContent.__dataclass_fields__},
        version=stored.version,
        current=is_current,
        example=is_current and book.is_example,
        created_at=stored.created_at,
        changed_at=stored.changed_at,
        quoted_by=collateral.quoted_by,
        unit=collateral.instrument.unit,
        units=collateral.units_on(today),
        shares=collateral.shares(today),
        ounces=collateral.ounces(today),
        owed_today=owed,
        accrued_interest=owed - portfolio.loan.amount,
        credit_factor=portfolio.loan.credit_factor,
    )


def content(portfolio: Portfolio, today: date) -> PortfolioContent:
    """What was entered."""
    loan, interest = portfolio.loan, portfolio.loan.interest
    return PortfolioContent(
        id=portfolio.id,
        name=portfolio.name,
        lender=portfolio.lender,
        lots=tuple(_lot_document(lot, today) for lot in portfolio.collateral.lots),
        loan_amount=loan.amount,
        currency=loan.currency,
        as_of=loan.as_of,
        margin_call_ltv=loan.margin_call_ltv,
        warning_ltv=loan.warning_ltv,
        close_out_ltv=loan.close_out_ltv,
        target_ltv=portfolio.target_ltv,
        hedge_counting=loan.hedge_counting,
        hedge_haircut=loan.hedge_haircut,
        cure_days=loan.cure_days,
        reference_rate=interest.reference_rate,
        spread=interest.spread,
        day_count=interest.day_count,
        capitalised=interest.capitalised,
        options=tuple(option_document(option, today) for option in portfolio.options),
    )


def option_document(option: HeldOption, today: date) -> OptionDocument:
    """A position as it was entered."""
    contract = option.contract
    return OptionDocument(
        id=option.id,
        contract=contract.osi,
        symbol=contract.root,
        expiration=contract.expiration,
        strike=contract.strike,
        right=contract.right,
        multiplier=contract.multiplier,
        contracts=option.contracts,
        price_paid=option.price_paid,
        opened_on=option.opened_on,
        funding=option.funding,
        closed_on=option.closed_on,
        closed_price=option.closed_price,
        note=option.note,
        cost=option.cost,
        is_open=option.is_open(today),
    )


def change_answer(change: PortfolioChange) -> ChangeAnswer:
    """A line of the audit trail; weights in ounces are those of its day."""
    day = change.at.astimezone(NEW_YORK).date()
    return ChangeAnswer(
        id=change.id,
        portfolio_id=change.portfolio_id,
        at=change.at,
        actor=change.actor,
        what=change.what,
        undoes=change.undoes,
        before=None if change.before is None else content(change.before, day),
        after=None if change.after is None else content(change.after, day),
    )


def cure_answer(
    snapshot: Snapshot, quote: QuoteAnswer | None, rate: RateAnswer | None, target: float, drop: float | None
) -> CureAnswer:
    """What brings a portfolio to a target LTV at its price, and what it costs to carry."""
    portfolio, loan, own = snapshot.portfolio, snapshot.portfolio.loan, snapshot.rate.own
    value = snapshot.gold_value
    needed, cost = cure(loan.amount, value, target), carry(snapshot)
    units = portfolio.collateral.units_on(snapshot.on)
    per_unit = value / units
    survivor = None
    if drop is not None:
        most = largest_initial_ltv(loan.margin_call_ltv, drop)
        largest = largest_loan(value, most)
        survivor = SurvivorAnswer(
            drop, most, largest, largest - loan.amount, own(largest), own(largest - loan.amount)
        )
    wanted = loan.amount / target
    return CureAnswer(
        id=portfolio.id,
        quoted_by=portfolio.collateral.quoted_by,
        price=snapshot.price,
        quote=quote,
        on=snapshot.on,
        target_ltv=target,
        loan_amount=loan.amount,
        gold_value=value,
        ltv=loan_to_value(loan.amount, value),
        zone=snapshot.zone,
        called=snapshot.is_called,
        unit=portfolio.collateral.instrument.unit,
        repay_cash=needed.repay_cash,
        add_gold=needed.add_gold,
        add_units=needed.add_gold / per_unit,
        sell_gold=needed.sell_gold,
        sell_units=needed.sell_gold / per_unit,
        under_water=needed.sell_gold > value,
        recommended_collateral=wanted,
        missing_collateral=wanted - value,
        loan_currency=snapshot.rate.currency,
        loan_owed=snapshot.owed,
        repay_cash_in_loan_currency=own(needed.repay_cash),
        exchange_rate=rate,
        survives=survivor,
        carry=CarryAnswer(
            cost.interest, cost.hedge, cost.total, cost.of_collateral, cost.of_equity, own(cost.interest)
        ),
    )


def _lot(entry: LotEntry, number: int, count: int) -> Lot:
    try:
        return _one_lot(entry)
    except InvalidInput as error:
        if count == 1:
            raise
        raise InvalidInput(error.argument, f"(of lot {number}) {error.reason}") from None


def _one_lot(entry: LotEntry) -> Lot:
    mode = entry.entry_mode or (EntryMode.VALUE if entry.units is None else EntryMode.WEIGHT)
    symbol = clean_symbol(entry.symbol)
    price, value, units = entry.entry_price, entry.start_value, entry.units
    if mode is EntryMode.VALUE:
        price, value = _needed("entry_price", price), _needed("start_value", value)
        if units is None:
            return Lot.by_value(symbol, value, price, entry.acquired_on)
        return Lot(symbol, units, mode, price, value, entry.acquired_on)
    units = _needed("units", units)
    if value is None or price is None:
        if value is not None:
            price = Lot.by_value(symbol, value, units).units  # price = value / weight
        return Lot.by_weight(symbol, units, price, entry.acquired_on)
    return Lot(symbol, units, mode, price, value, entry.acquired_on)


def _lot_document(lot: Lot, today: date) -> LotDocument:
    ounces = lot.instrument.ounces_per_unit(today)
    return LotDocument(
        symbol=lot.symbol,
        unit=lot.instrument.unit,
        entry_mode=lot.entry_mode,
        units=lot.units,
        entry_price=lot.entry_price,
        start_value=lot.start_value,
        acquired_on=lot.acquired_on,
        ounces=None if ounces is None else ounces * lot.units,
    )


def _options(entries: list[OptionEntry], before: tuple[HeldOption, ...]) -> tuple[HeldOption, ...]:
    known = {option.id: option for option in before}
    for entry in entries:
        if entry.id is not None and entry.id not in known:
            raise InvalidInput("id", "names no position of this portfolio; leave it out for a new one")
    return tuple(option_of_entry(entry, known.get(entry.id or "")) for entry in entries)


def _contract(entry: OptionEntry, before: OptionContract | None) -> OptionContract:
    named = None if entry.contract is None else contract_from_osi(entry.contract.upper())
    base = named or before
    parts = (entry.symbol, entry.expiration, entry.strike, entry.right)
    if base is None and any(part is None for part in parts):
        raise InvalidInput("contract", "must be given, or symbol, expiration, strike and right")
    if base is not None and all(part is None for part in parts):
        return base
    right = None if entry.right is None else RIGHTS.get(entry.right.strip().lower())
    if entry.right is not None and right is None:
        raise InvalidInput("right", "must be put or call")
    made = OptionContract(
        base.root if base is not None and entry.symbol is None else clean_symbol(entry.symbol or ""),
        base.expiration if base is not None and entry.expiration is None else _needed("expiration", entry.expiration),
        base.strike if base is not None and entry.strike is None else _needed("strike", entry.strike),
        base.right if base is not None and right is None else right or Right.PUT,
    )
    if named is not None and made != named:
        raise InvalidInput("contract", f"is {named.osi}, which contradicts symbol, expiration, strike or right")
    return made


def _says_day(entry: PortfolioEntry, before: Loan) -> bool:
    """True when the day of the amount was said: it is new, or stands beside a new amount and is not merely echoed."""
    if entry.as_of is None:
        return False
    return entry.as_of != before.as_of or entry.loan_amount not in (None, before.amount)


def _told(given: T | None, usual: T) -> T:
    return usual if given is None else given


def _needed(name: str, given: T | None) -> T:
    if given is None:
        raise InvalidInput(name, "must be given")
    return given
