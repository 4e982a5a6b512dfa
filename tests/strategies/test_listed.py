"""What is built from listed contracts: strikes, expirations, whole numbers, prices, and what each refusal says."""

from dataclasses import replace
from datetime import date

import pytest

from tests.strategies.listed_cases import FAR, MID, SOON, a_case, an_option
from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption, PriceBasis, StrategyKind
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.listed import build

PUT, SPREAD, COLLAR, LADDER, LEAPS = (
    StrategyKind.PROTECTIVE_PUT,
    StrategyKind.PUT_SPREAD,
    StrategyKind.COLLAR,
    StrategyKind.PUT_LADDER,
    StrategyKind.LEAPS,
)


def a_market(*days: date) -> list[ListedOption]:
    """Strikes 340 to 560 by 5; bid 4.90, ask 5.10."""
    return [
        an_option(float(strike), right, day)
        for day in days or (SOON, MID, FAR)
        for strike in range(340, 565, 5)
        for right in Right
    ]


def legs(hedge: ListedHedge) -> list[tuple[int, Right, float, date, float]]:
    return [
        (leg.contracts, leg.option.right, leg.option.strike, leg.option.expiration, leg.price) for leg in hedge.legs
    ]


def built(kind: StrategyKind, case: HedgeCase | None = None, **asked: object) -> ListedHedge:
    market = asked.pop("market", None) or a_market()
    return build(kind, market, case or a_case(), **asked)  # type: ignore[arg-type]  # what the test asks for


def test_the_usual_put_is_the_first_above_the_call_price_where_options_are_credited() -> None:
    found = built(PUT)
    assert legs(found) == [(22, Right.PUT, 370.0, MID, 5.1)]  # the call comes at 368; 2,173.9 shares are 22 contracts
    assert found.title == "370 put, 18 Sep 2026"
    assert found.net_cost == pytest.approx(22 * (510 + 0.65))


@pytest.mark.parametrize("counting", [HedgeCounting.AFTER_PAYMENT, HedgeCounting.IGNORED])
def test_elsewhere_it_is_nearest_to_95_per_cent_of_spot(counting: HedgeCounting) -> None:
    assert legs(built(PUT, a_case(counting)))[0][2] == 435.0  # 437 is nearer to 435 than to 440


def test_a_strike_on_the_call_price_is_not_above_it() -> None:
    case = a_case(units=600_000 / 0.75 / 370.0)  # the call comes at 370
    assert legs(built(PUT, case))[0][2] == 375.0


def test_given_strikes_expiration_and_number_are_taken() -> None:
    found = built(PUT, strikes=(440.0,), expiration=FAR, contracts=7, commission=1.0, funding=PremiumFunding.LOAN)
    assert legs(found) == [(7, Right.PUT, 440.0, FAR, 5.1)]
    assert (found.commissions, found.funding) == (7.0, PremiumFunding.LOAN)


def test_a_spread_buys_the_higher_strike_at_the_ask_and_sells_the_lower_at_the_bid() -> None:
    assert legs(built(SPREAD)) == [(22, Right.PUT, 435.0, MID, 5.1), (-22, Right.PUT, 365.0, MID, 4.9)]
    for order in ((430.0, 380.0), (380.0, 430.0)):
        found = built(SPREAD, strikes=order, contracts=5)
        assert legs(found) == [(5, Right.PUT, 430.0, MID, 5.1), (-5, Right.PUT, 380.0, MID, 4.9)]
        assert found.title == "430/380 put spread, 18 Sep 2026"


def test_a_collar_sells_no_more_calls_than_there_are_whole_contracts_of_gold() -> None:
    found = built(COLLAR)
    assert legs(found) == [(22, Right.PUT, 370.0, MID, 5.1), (-21, Right.CALL, 505.0, MID, 4.9)]
    assert found.title == "370/505 collar, 18 Sep 2026"
    assert [row[0] for row in legs(built(COLLAR, contracts=5))] == [5, -5]
    assert [row[0] for row in legs(built(COLLAR, contracts=40))] == [40, -21]


def test_a_collars_call_is_never_below_spot_or_its_put() -> None:
    assert legs(built(COLLAR, strikes=(520.0,)))[1][2] == 525.0
    with pytest.raises(InvalidInput, match="call's 430 is below the put's 450"):
        built(COLLAR, strikes=(450.0, 430.0))


def test_a_ladder_shares_the_contracts_and_the_rest_is_on_the_highest_rung() -> None:
    # 437 and 414 are nearest to 435 and 415
    assert [(row[0], row[2]) for row in legs(built(LADDER))] == [(8, 460.0), (7, 435.0), (7, 415.0)]
    four = built(LADDER, strikes=(380.0, 420.0, 400.0, 440.0), contracts=23)
    assert [(row[0], row[2]) for row in legs(four)] == [(8, 440.0), (5, 420.0), (5, 400.0), (5, 380.0)]
    assert sum(leg.contracts for leg in four.legs) == 23
    assert four.title == "440/420/400/380 put ladder, 18 Sep 2026"


def test_leaps_are_the_first_listed_at_nine_months_or_more() -> None:
    near, first = date(2027, 3, 5), date(2027, 3, 19)
    found = built(LEAPS, market=a_market(SOON, near, first, FAR))
    assert legs(found)[0][3] == first
    assert found.title == "LEAPS 370 put, 19 Mar 2027"
    with pytest.raises(InvalidInput, match="less than 9 months"):
        built(LEAPS, expiration=MID)
    with pytest.raises(Refused, match="the longest ends on 18 Sep 2026"):
        built(LEAPS, market=a_market(SOON, MID))


def test_the_usual_expiration_is_nearest_to_three_months() -> None:
    assert legs(built(PUT, market=a_market(date(2026, 8, 21), date(2026, 9, 18))))[0][3] == date(2026, 9, 18)
    assert legs(built(PUT, market=a_market(SOON, FAR)))[0][3] == SOON


def test_at_mid_the_price_is_between_and_labelled() -> None:
    found = built(SPREAD, basis=PriceBasis.MID)
    assert [(leg.price, leg.basis) for leg in found.legs] == [(5.0, PriceBasis.MID), (5.0, PriceBasis.MID)]


def test_where_no_strike_is_given_contracts_without_the_price_are_passed_over() -> None:
    no_ask = [replace(option, ask=None) if option.strike == 370.0 else option for option in a_market()]
    assert legs(built(PUT, market=no_ask))[0][2] == 375.0
    assert (
        legs(
            built(
                SPREAD, market=[replace(option, bid=0.0) if option.strike == 365.0 else option for option in no_ask]
            )
        )[1][2]
        == 370.0
    )  # 365 is nearest to 366.3, and nobody bids for it; 370 has no ask, which a seller does not need


def test_a_strike_that_is_given_without_a_price_is_an_error_and_names_it() -> None:
    market = [replace(option, ask=None) if option.strike == 400.0 else option for option in a_market()]
    with pytest.raises(InvalidInput, match="400 put, 18 Sep 2026 has no ask"):
        built(PUT, market=market, strikes=(400.0,))


def test_what_is_not_listed_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"402 is not among the puts of 18 Sep 2026.*nearest is 400"):
        built(PUT, strikes=(402.0,))
    with pytest.raises(InvalidInput, match=r"20 Aug 2026.*nearest that has is 18 Sep 2026"):
        built(PUT, expiration=date(2026, 8, 20))


def test_without_contracts_it_says_what_to_look_at() -> None:
    with pytest.raises(Refused, match="no listed contracts to build a hedge from"):
        build(PUT, [], a_case())
    with pytest.raises(Refused, match="no listed contracts"):
        build(PUT, a_market(date(2026, 6, 9)), a_case())  # all have expired
    calls = [option for option in a_market() if option.right is Right.CALL]
    with pytest.raises(Refused, match="No put of 18 Sep 2026"):
        build(PUT, calls, a_case())
    with pytest.raises(Refused, match="has an ask"):
        build(PUT, [replace(option, ask=None) for option in a_market()], a_case())
    with pytest.raises(Refused, match="where it is wanted"):  # every strike is below the call price
        build(PUT, [option for option in a_market() if option.strike < 368], a_case())


def test_a_crossed_contract_is_not_chosen() -> None:
    market = [replace(option, bid=6.0) if option.strike == 370.0 else option for option in a_market()]
    assert legs(built(PUT, market=market))[0][2] == 375.0


def test_gold_smaller_than_a_contract_buys_one_put_and_sells_no_call() -> None:
    small = a_case(units=40.0, loan=replace(a_case().loan, amount=11_000.0))
    assert legs(built(PUT, small))[0][0] == 1
    with pytest.raises(Refused, match="A call is over 100 shares and the gold is worth"):
        built(COLLAR, small)


def test_a_contract_of_another_size_is_counted_by_it() -> None:
    market = [replace(option, multiplier=10) for option in a_market()]
    assert [row[0] for row in legs(built(COLLAR, market=market))] == [218, -217]


def test_contracts_of_an_unusual_size_are_left_out() -> None:
    odd = [replace(option, multiplier=10) for option in a_market() if option.strike == 370.0]
    assert (
        legs(built(PUT, market=[*odd, *[option for option in a_market() if option.strike != 370.0]]))[0][2] == 375.0
    )


def test_whole_contracts_of_gold_need_no_contract_more() -> None:
    assert legs(built(PUT, a_case(units=100.0 * 3 * (1 + 1e-13)), strikes=(400.0,)))[0][0] == 3


@pytest.mark.parametrize(
    ("kind", "asked", "said"),
    [
        (StrategyKind.CUSTOM, {}, "give the legs themselves"),
        (PUT, {"basis": PriceBasis.OWN}, "give the legs themselves"),
        (PUT, {"strikes": (400.0, 380.0)}, "strikes of a protective put must be 0 or 1, not 2"),
        (PUT, {"contracts": 0}, "at least one"),
        (SPREAD, {"strikes": (400.0, 400.0)}, "must differ"),
        (LADDER, {"strikes": (400.0,)}, "must be 0 or 2 or 3 or 4"),
        (LADDER, {"strikes": (400.0, 400.0)}, "two different"),
        (LADDER, {"strikes": (400.0, 380.0, 360.0), "contracts": 2}, "at least 3, one for each rung"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: StrategyKind, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        built(kind, None, **asked)
