"""An option position as it is being typed: the contract in pieces or as one symbol, and what was paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionContract, Right, contract_from_osi
from vaultdash.domain.position import MOST_CONTRACTS, HeldOption, PremiumFunding
from vaultdash.services.portfolio_entry import check_option
from vaultdash.ui import typed
from vaultdash.ui.components.loan_draft import Problems

LABELS = {
    "contract": "Option symbol",
    "expiration": "Expiration",
    "right": "Put or call",
    "strike": "Strike",
    "contracts": "Contracts",
    "price_paid": "Price paid",
    "opened_on": "Opened on",
    "funding": "Paid from",
    "note": "Note",
    "closed_on": "Closed on",
    "closed_price": "Price got",
}


@dataclass(slots=True)
class PositionDraft:
    """Everything the owner types about a position, as text; an empty `closed_on` means that it is held."""

    contract: str = ""
    expiration: str = ""
    right: str = Right.PUT.value
    strike: str = ""
    contracts: str = ""
    price_paid: str = ""
    opened_on: str = ""
    funding: str = PremiumFunding.CASH.value
    note: str = ""
    closed_on: str = ""
    closed_price: str = ""

    @classmethod
    def of(cls, held: HeldOption) -> "PositionDraft":
        """A kept position, ready for typing."""
        contract = held.contract
        return cls(
            contract=contract.osi,
            expiration=contract.expiration.isoformat(),
            right=contract.right.value,
            strike=typed.as_amount(contract.strike),
            contracts=str(held.contracts),
            price_paid=typed.as_amount(held.price_paid),
            opened_on=held.opened_on.isoformat(),
            funding=held.funding.value,
            note=held.note,
            closed_on=held.closed_on.isoformat() if held.closed_on else "",
            closed_price=typed.as_amount(held.closed_price),
        )

    def take_symbol(self, root: str) -> str | None:
        """Fill the pieces from the option symbol; why that cannot be done, if it cannot."""
        try:
            found = contract_from_osi(self.contract.upper())
            _same_root(found, root)
        except InvalidInput as problem:
            return typed.sentence(LABELS["contract"], problem)
        self.expiration, self.right = found.expiration.isoformat(), found.right.value
        self.strike = typed.as_amount(found.strike)
        return None

    def read(self, root: str, position_id: str, today: date) -> tuple[HeldOption | None, Mapping[str, str]]:
        """The position, an option on `root`, or by field what is wrong with it."""
        wrong = _Problems()
        expiration = wrong.take("expiration", lambda: typed.day("expiration", self.expiration))
        strike = wrong.take("strike", lambda: _above_zero("strike", self.strike))
        contract = None
        if expiration is not None and strike is not None:
            contract = wrong.take("strike", lambda: OptionContract(root, expiration, strike, Right(self.right)))
        count = wrong.take("contracts", lambda: _count(self.contracts))
        paid = wrong.take("price_paid", lambda: _price("price_paid", self.price_paid))
        opened = wrong.take("opened_on", lambda: _past("opened_on", self.opened_on, today))
        closed, got = None, None
        if self.closed_on.strip() or self.closed_price.strip():
            closed = wrong.take("closed_on", lambda: _past("closed_on", self.closed_on, today))
            got = wrong.take("closed_price", lambda: _price("closed_price", self.closed_price))
        if wrong.found or contract is None or count is None or paid is None or opened is None:
            return None, wrong.found
        found = wrong.take(
            "opened_on",
            lambda: HeldOption(
                position_id,
                contract,
                count,
                paid,
                opened,
                PremiumFunding(self.funding),
                closed,
                got,
                " ".join(self.note.split()),
            ),
        )
        if found is not None:
            wrong.take("note", lambda: check_option(found, today))
        return (None if wrong.found else found), wrong.found


class _Problems(Problems):
    def label(self, name: str) -> str:
        return LABELS.get(name, name)

    def field(self, name: str, problem: InvalidInput) -> str:
        return problem.argument if problem.argument in LABELS else name


def _same_root(contract: OptionContract, root: str) -> None:
    if contract.root != root:
        raise InvalidInput("contract", f"is an option on {contract.root}; this loan is valued by {root}")


def _above_zero(name: str, text: str) -> float:
    found = typed.amount(name, text, fine=True)
    if found <= 0:
        raise InvalidInput(name, "must be above zero")
    return found


def _price(name: str, text: str) -> float:
    found = typed.amount(name, text, fine=True)
    if found < 0:
        raise InvalidInput(name, "must not be negative; a sold position has negative contracts")
    return found


def _count(text: str) -> int:
    found = typed.whole("contracts", text)
    if not 0 < abs(found) <= MOST_CONTRACTS:
        raise InvalidInput("contracts", "must be a whole number other than zero: bought above, sold below")
    return found


def _past(name: str, text: str, today: date) -> date:
    found = typed.day(name, text)
    if found > today:
        raise InvalidInput(name, "lies in the future")
    return found
