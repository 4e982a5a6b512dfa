"""What a ladder is filled with: text that is shown, values that sort, and why a quote is doubtful."""

import json

from tests.builders import a_contract, an_option_quote
from tests.ui.conftest import Priced
from vaultdash.domain.option import QuoteFlag
from vaultdash.ui.components.chain_ladder import FIELDS, ladder_rows

AT = {each.name: index for index, each in enumerate(FIELDS)}


def test_a_row_a_strike_ascending_with_the_sides_that_exist(priced: Priced) -> None:
    chain = priced(*(one.quote for one in priced().options), an_option_quote(a_contract(530.0)))
    rows = ladder_rows(chain)
    assert [row["k"] for row in rows] == sorted({one.quote.contract.strike for one in chain.options})
    assert rows[-1]["call"] is None
    assert rows[-1]["put"]["id"] == "GLD   260717P00530000"


def test_cells_are_text_beside_the_value_they_sort_by(priced: Priced) -> None:
    put = next(row for row in ladder_rows(priced()) if row["k"] == 460.0)["put"]
    assert put["t"][AT["delta"]].startswith("−0.4")
    assert -0.5 < put["n"][AT["delta"]] < -0.4
    assert put["t"][AT["iv"]] == "20.0\u00a0%"
    assert (put["t"][AT["volume"]], put["n"][AT["volume"]]) == ("–", None)


def test_the_side_in_the_money_is_marked(priced: Priced) -> None:
    by_strike = {row["k"]: row for row in ladder_rows(priced())}
    assert (by_strike[450.0]["call"]["itm"], by_strike[450.0]["put"]["itm"]) == (True, False)
    assert (by_strike[470.0]["call"]["itm"], by_strike[470.0]["put"]["itm"]) == (False, True)


def test_a_quote_that_is_not_used_stays_with_its_reason_and_without_absurd_numbers(priced: Priced) -> None:
    bad = an_option_quote(a_contract(300.0), bid=0.0, ask=0.05, flags=QuoteFlag.ZERO_BID)
    row = ladder_rows(priced(bad, *(one.quote for one in priced().options)))[0]
    put = row["put"]
    assert put["off"]
    assert put["why"].startswith("Not used: no bid")
    assert put["t"][AT["mid"]] == put["t"][AT["iv"]] == "–"
    assert put["hints"]["iv"] == "No volatility: there is no mid to take it from"
    assert "Put 300, 17 Jul 2026" in put["said"]
    assert put["soft"]
    assert put["hints"]["delta"].startswith("From the surface")


def test_rows_are_json_without_nan(priced: Priced) -> None:
    crossed = an_option_quote(a_contract(470.0), bid=30.0, ask=10.0)
    nothing = an_option_quote(a_contract(465.0), bid=None, ask=None, last=None, volume=None, open_interest=None)
    json.dumps(ladder_rows(priced(crossed, nothing)), allow_nan=False)
