"""The address of the workbench: up to four hedges, or a contract, by which a reload or another person finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right, contract_from_osi
from vaultdash.services.hedge_link import LONGEST_LINK, decode, encode
from vaultdash.ui.components.workbench_draft import (
    LETTERS,
    HedgeDraft,
    LegDraft,
    contracts_over,
    draft_of,
    request_of,
)

PATH = "/workbench"
NAMES = ("hedge", "b", "c", "d")  # of the hedges A to D in the address
SHARED = "a link"
LONGEST_CONTRACT = 40


@dataclass(slots=True)
class Asked:
    """What an address names; `problem` says what of it could not be read."""

    hedges: tuple[str, ...] = ()
    contract: str = ""
    problem: str = ""

    def drafts(self, symbol: str, units: float) -> list[HedgeDraft]:
        """The hedges it names, made of options on `symbol`; a contract is taken over all units."""
        found, problems = [], []
        for link in self.hedges[: len(LETTERS)]:
            try:
                found.append(draft_of(decode(link[: LONGEST_LINK + 1], symbol), SHARED))
            except InvalidInput as error:
                problems.append(f"The link to a hedge cannot be used: it {error.reason}.")
        if self.contract:
            try:
                found.append(self._of_contract(symbol, units))
            except InvalidInput as error:
                problems.append(f"The contract cannot be used: it {error.reason}.")
        self.problem = " ".join(dict.fromkeys(problems))
        return found

    def _of_contract(self, symbol: str, units: float) -> HedgeDraft:
        wanted = contract_from_osi(self.contract[:LONGEST_CONTRACT].upper())
        if wanted.root != symbol:
            raise InvalidInput("contract", f"is an option on {wanted.root}; your gold is valued by {symbol}")
        count = contracts_over(units) if wanted.right is Right.PUT else 1
        return HedgeDraft((LegDraft(wanted.right, wanted.strike, wanted.expiration, count),), origin="a contract")


def link_of(draft: HedgeDraft, symbol: str) -> str | None:
    """The hedge as it stands in a link; None for one that cannot be linked to, such as one without legs."""
    try:
        return quote(encode(request_of(draft), symbol), safe="~.-")
    except InvalidInput:
        return None


def address_of(drafts: Sequence[HedgeDraft], symbol: str) -> str:
    """`/workbench?hedge=…&b=…`: the hedges that have legs, in their order."""
    links = [link for draft in drafts if (link := link_of(draft, symbol)) is not None]
    query = "&".join(f"{name}={link}" for name, link in zip(NAMES, links, strict=False))
    return f"{PATH}?{query}" if query else PATH
