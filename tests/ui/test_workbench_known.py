"""What the workbench goes on showing when the price, the loan or the quotes have changed, and what it drops."""

import asyncio
from dataclasses import replace

import pytest

from tests.api.conftest import LEAPS, KnownRate, by_quantlib
from tests.services.twins import Clock, FixedHours, ScriptedChains
from vaultdash.domain.hedge_verdict import PathOdds, PathVerdict
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.option import Right
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CaseChange
from vaultdash.ui.components.workbench_draft import HedgeDraft, LegDraft
from vaultdash.ui.pages.workbench_known import Known

DRAFT = HedgeDraft((LegDraft(Right.PUT, 420.0, LEAPS, 22),))
VERDICT = PathVerdict("any", (PathOdds("flat", 0.1, 0.01, 0.02, 0.001, 0.0, 0.0, 0.0),))


@pytest.fixture
async def known(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Known:
    """The loan and the quotes of a day, and a verdict of paths on both."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    demo_vault.chains = demo_vault.workbench._markets._chains = chains
    made = Known(demo_vault)
    case = await made.read_case()
    await made.read_day(LEAPS)
    assert made.judge({DRAFT: VERDICT}, case, made.resolved([DRAFT]))
    return made


def case_of(known: Known) -> HedgeCase:
    assert known.case is not None
    return known.case


async def test_a_verdict_stands_until_the_price_has_moved(known: Known) -> None:
    spot = case_of(known).spot
    known.change = CaseChange(spot=spot * 1.004)
    await known.read_case()
    assert known.verdicts == {DRAFT: VERDICT}
    known.change = CaseChange(spot=spot * 1.006)
    await known.read_case()
    assert known.verdicts == {}


async def test_a_verdict_falls_with_the_loan_it_was_of(known: Known) -> None:
    known.change = CaseChange(loan_amount=case_of(known).loan.amount + 1)
    await known.read_case()
    assert known.verdicts == {}


async def test_a_verdict_falls_with_the_quotes_of_its_own_contracts_alone(known: Known) -> None:
    market = known.market
    assert market is not None
    known.take(market)
    assert known.verdicts == {DRAFT: VERDICT}
    other = tuple(replace(one, bid=0.01) if one.strike != 420.0 else one for one in market.options)
    known.take(replace(market, options=other))
    assert known.verdicts == {DRAFT: VERDICT}
    dearer = tuple(replace(one, ask=(one.ask or 0.0) + 0.5) for one in market.options)
    known.take(replace(market, options=dearer))
    assert known.verdicts == {}


async def test_an_answer_that_was_under_way_is_not_kept_for_another_case(known: Known) -> None:
    before, priced = case_of(known), known.resolved([DRAFT])
    known.change = CaseChange(spot=before.spot * 0.8)
    await known.read_case()
    assert not known.judge({DRAFT: VERDICT}, before, priced)
    assert known.verdicts == {}


async def test_measures_that_were_under_way_are_not_kept_for_another_case(known: Known) -> None:
    under_way = asyncio.create_task(known.measure(known.lacks(known.resolved([DRAFT]))))
    await asyncio.sleep(0)  # it is measured in a thread by now
    known.change = CaseChange(spot=380.0)
    await known.read_case()
    await under_way
    assert case_of(known).spot == 380.0
    assert known.measures == {}
    assert known.unhedged is None
