"""The odds service: the closed form at once, simulations when they are there, cancelled when nobody wants them."""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vaultdash.compute.worker import WorkerDied
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.portfolio import mark
from vaultdash.risk.calibration import model_parameters
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_report import Odds
from vaultdash.services.odds_volatility import HORIZONS, VolatilityKind
from vaultdash.services.vault import Vault

fitted_once = functools.cache(model_parameters)  # to the demo market's closes, which are the same in all tests


async def until(condition: Callable[[], bool]) -> None:
    """As long as the first simulation takes, which loads what is compiled."""
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110  threads set it, which no event of the loop tells
            await asyncio.sleep(0.005)


class HeldUpCompute:
    """Does the work in the test's own process, one piece for each release."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.steps = asyncio.Semaphore(0)
        self.failure: Exception | None = None

    async def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        await self.steps.acquire()
        if self.failure is not None:
            raise self.failure
        self.done.append(function.__name__)
        kwargs = {**kwargs, "paths": 256, "engine": "reference"} if function.__name__ == "simulated_odds" else kwargs
        return await asyncio.to_thread(fitted_once if function is model_parameters else function, *args, **kwargs)

    def let_go(self, pieces: int = 1000) -> None:
        for _ in range(pieces):
            self.steps.release()

    async def aclose(self) -> None: ...


@pytest.fixture
def compute() -> HeldUpCompute:
    return HeldUpCompute()


@pytest.fixture
async def vault(demo_vault: Vault) -> Vault:
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    return demo_vault


@pytest.fixture
async def held_up(vault: Vault, compute: HeldUpCompute) -> Vault:
    """A Vault whose simulations wait for the test."""
    vault.odds._simulations._compute = compute
    return vault


async def odds_of(vault: Vault, **wishes: Any) -> Odds:
    beat = beat_of(vault)
    assert beat.snapshot is not None
    return await vault.odds.look(beat, beat.snapshot, **wishes)


def beat_of(vault: Vault) -> Beat:
    beat = vault.heartbeat.current()
    assert beat is not None
    return beat


def simulated_names(odds: Odds) -> set[str]:
    return {model.model for model in odds.simulated}


async def test_what_alerts_watch_is_the_closed_form_without_drift(vault: Vault) -> None:
    snapshot = beat_of(vault).snapshot
    assert snapshot is not None
    odds = await odds_of(vault, volatility=0.21)
    assert vault.odds.quick(snapshot, 0.21) == odds.central.by_months
    called = mark(snapshot.portfolio, 100.0, snapshot.on)
    assert vault.odds.quick(called, 0.21) == dict.fromkeys(HORIZONS, 1.0)


async def test_for_a_loan_in_francs_alerts_watch_the_joined_volatility_once_it_is_read(vault: Vault) -> None:
    snapshot = beat_of(vault).snapshot
    assert snapshot is not None
    rate = ExchangeRate("CHF", 0.80, snapshot.rate.at, "DEMO", is_demo=True)
    loan = replace(snapshot.portfolio.loan, amount=480_000, currency="CHF")
    francs = mark(replace(snapshot.portfolio, loan=loan), snapshot.price, snapshot.on, rate=rate)
    assert vault.odds.quick(francs, 0.21) == {}  # which raises nothing
    await until(lambda: bool(vault.odds.quick(francs, 0.21)))
    moves = await vault.odds.volatilities.rate_moves(francs)
    assert moves.source.startswith("a dollar in CHF moves by")
    expected = (await vault.odds.look(beat_of(vault), francs, volatility=moves.joined(0.21))).central.by_months
    assert vault.odds.quick(francs, 0.21) == expected
    assert expected[12] > vault.odds.quick(snapshot, 0.21)[12]
    assert vault.odds.quick(mark(francs.portfolio, 100.0, snapshot.on), 0.21) == dict.fromkeys(HORIZONS, 1.0)


async def test_what_is_known_is_there_without_asking_anybody(vault: Vault) -> None:
    odds = await odds_of(vault)
    assert odds.volatility.kind is VolatilityKind.MOVES
    assert odds.simulated == ()
    low, high = odds.span(12)
    assert 0 < low < high < 1


async def test_a_kind_or_a_number_of_ones_own_is_used(vault: Vault) -> None:
    given = await odds_of(vault, volatility=0.3)
    assert given.volatility.kind is VolatilityKind.GIVEN
    assert given.volatility.yearly == 0.3
    unknown = await odds_of(vault, kind=VolatilityKind.INDEX)
    assert unknown.volatility.kind is VolatilityKind.MOVES
    for wishes in ({"volatility": 30.0}, {"volatility": float("nan")}, {"view": 5.0}, {"view": float("inf")}):
        with pytest.raises(InvalidInput):
            await odds_of(vault, **wishes)


async def test_simulations_replace_nothing_until_all_are_done(held_up: Vault, compute: HeldUpCompute) -> None:
    held_up.odds.wish(await odds_of(held_up))
    compute.let_go(5)
    await until(lambda: len(compute.done) == 5)
    assert held_up.odds.progress.is_working
    assert (await odds_of(held_up)).simulated == ()
    compute.let_go()
    await until(lambda: not held_up.odds.progress.is_working)
    odds = await odds_of(held_up)
    assert len(simulated_names(odds)) == 4
    assert len(odds.simulated) == 4 * len(odds.drifts)
    assert compute.done.count("model_parameters") == 1
    assert odds.span(12)[0] <= min(model.by_months[12] for model in odds.simulated)
    assert all(model.errors and model.seed and model.price for model in odds.simulated)
    assert "256 paths" in held_up.odds.progress.words
    before = len(compute.done)
    held_up.odds.wish(odds)  # known: nothing is done again
    await asyncio.sleep(0.05)
    assert len(compute.done) == before
    assert not held_up.odds.progress.is_working


async def test_cancelled_simulations_stay_cancelled_until_they_are_asked_for(
    held_up: Vault, compute: HeldUpCompute
) -> None:
    odds = await odds_of(held_up)
    held_up.odds.wish(odds)
    await until(lambda: held_up.odds.progress.is_working)
    held_up.odds.cancel()
    await until(lambda: not held_up.odds.progress.is_working)
    assert "cancelled" in held_up.odds.progress.words
    held_up.odds.wish(odds)
    await asyncio.sleep(0.02)
    assert not held_up.odds.progress.is_working
    compute.let_go()
    held_up.odds.wish(odds, anew=True)
    await until(lambda: "paths" in held_up.odds.progress.words)
    assert (await odds_of(held_up)).simulated


async def test_a_failure_leaves_the_closed_form_and_is_told(held_up: Vault, compute: HeldUpCompute) -> None:
    compute.failure = WorkerDied("the process that did the work has ended")
    compute.let_go()
    held_up.odds.wish(await odds_of(held_up))
    await until(lambda: bool(held_up.odds.progress.words) and not held_up.odds.progress.is_working)
    assert "could not be simulated" in held_up.odds.progress.words
    assert (await odds_of(held_up)).simulated == ()


async def test_a_newer_wish_takes_the_place_of_an_older_one(held_up: Vault, compute: HeldUpCompute) -> None:
    older, newer = await odds_of(held_up, volatility=0.15), await odds_of(held_up, volatility=0.35)
    held_up.odds.wish(older)
    compute.let_go(3)
    await until(lambda: len(compute.done) == 3)
    held_up.odds.wish(newer)
    compute.let_go()
    await until(lambda: "paths" in held_up.odds.progress.words)
    assert (await odds_of(held_up, volatility=0.35)).simulated
    assert (await odds_of(held_up, volatility=0.15)).simulated == ()
    assert compute.done.count("simulated_odds") < 4 * len(older.drifts) + 4 * len(newer.drifts)


async def test_what_was_simulated_speaks_for_prices_nearby_only(held_up: Vault, compute: HeldUpCompute) -> None:
    compute.let_go()
    beat = beat_of(held_up)
    assert beat.snapshot is not None
    done = await held_up.odds.simulated(await odds_of(held_up))
    portfolio, on = beat.snapshot.portfolio, beat.snapshot.on
    for move, speaks in ((1.004, True), (0.996, True), (1.01, False), (0.98, False)):
        near = mark(portfolio, beat.snapshot.price * move, on)
        found = await held_up.odds.look(beat, near)
        assert bool(found.simulated) is speaks, move
        if speaks:
            assert found.simulated[0].price == done.snapshot.price


async def test_a_loan_that_is_called_is_not_simulated(held_up: Vault) -> None:
    beat = beat_of(held_up)
    assert beat.snapshot is not None
    called = mark(beat.snapshot.portfolio, 300.0, beat.snapshot.on)
    held_up.odds.wish(await held_up.odds.look(beat, called))
    assert not held_up.odds.progress.is_working


async def test_in_a_real_worker_the_flat_model_is_the_closed_form_within_three_errors(vault: Vault) -> None:
    odds = await vault.odds.simulated(await odds_of(vault, volatility=0.22))
    assert {model.paths for model in odds.simulated} == {50_048}
    flat = [model for model in odds.simulated if "flat" in model.model]
    for closed, simulated in zip(odds.closed, flat, strict=True):
        assert simulated.errors is not None
        for months in (3, 6, 12):
            error = max(simulated.errors[months], 1e-4)
            assert abs(simulated.by_months[months] - closed.by_months[months]) < 3 * error + 0.002
    again = await odds_of(vault, volatility=0.22)
    assert again.simulated == odds.simulated
    assert len(again.gaps) == 1 + len(odds.simulated)
