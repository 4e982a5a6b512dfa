"""The chains of the day are kept after the close: all of them, once, the real ones only."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import a_quote
from tests.services.twins import Clock
from vaultdash.cache.memory import MemoryCache
from vaultdash.clock import NewYorkHours
from vaultdash.domain.errors import BadPayload, NotFound, RateLimited, Refused, Unavailable, VaultError
from vaultdash.domain.market import DEMO_SOURCE
from vaultdash.domain.option import ListedExpirations, OptionChain, OptionContract, OptionQuote, Right
from vaultdash.market.base import SnapshotKind, SnapshotStore, is_for_the_record
from vaultdash.market.cached import Cached
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.services.snapshot_recorder import Recording, SnapshotRecorder, complete

THURSDAY = date(2026, 5, 14)
CLOSE = datetime(2026, 5, 14, 20, 0, tzinfo=UTC)
DUE = CLOSE + timedelta(minutes=5)
DAYS = (date(2026, 5, 22), date(2026, 6, 18), date(2027, 1, 15))


class ScriptedChains:
    """Chains of five strikes as the test says: prices as of now, but never after the last close."""

    name = "Scripted"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.days = DAYS
        self.source = "Scripted"
        self.priced_at: datetime | None = None
        self.underlying: dict[str, object] = {}
        self.quotes: dict[str, object] = {"bid": 6.1, "ask": 6.3}
        self.listing_failure: Exception | None = None
        self.failures: dict[date, Exception] = {}
        self.with_first = False
        self.asked: list[date] = []
        self.listed = 0

    def chain_of(self, symbol: str, expiration: date) -> OptionChain:
        at = self.now()
        priced = self.priced_at or min(at, CLOSE)
        underlying = a_quote(430.0, symbol, priced, **{"source": self.source, **self.underlying})
        contracts = [OptionContract(symbol, expiration, 410.0 + 5 * number, Right.PUT) for number in range(5)]
        quotes = tuple(OptionQuote(contract, **self.quotes) for contract in contracts)  # type: ignore[arg-type]  # as the test says
        return OptionChain(symbol, expiration, underlying, quotes, at, self.source)

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        assert refresh
        self.listed += 1
        if self.listing_failure is not None:
            raise self.listing_failure
        first = self.chain_of(symbol, self.days[0])
        return ListedExpirations(
            symbol, self.days, first.underlying, first.at, self.source, first if self.with_first else None
        )

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        assert refresh
        self.asked.append(expiration)
        await asyncio.sleep(0)
        if expiration in self.failures:
            raise self.failures[expiration]
        return self.chain_of(symbol, expiration)

    async def aclose(self) -> None:
        pass


class House:
    """A recorder of GLD on a real store, with a clock and a provider that the test directs."""

    def __init__(self, folder: Path, hours: NewYorkHours) -> None:
        self.clock = Clock(DUE)
        self.chains = ScriptedChains(self.clock)
        self.store = ObservedSnapshots(folder, self.clock)
        self.hours = hours
        self.recorder = self.restarted()

    def restarted(self, store: SnapshotStore | None = None) -> SnapshotRecorder:
        self.recorder = SnapshotRecorder(self.chains, store or self.store, ["gld"], self.hours, self.clock)
        return self.recorder

    def kept(self, on: date = THURSDAY, kind: SnapshotKind = SnapshotKind.CLOSE) -> set[date]:
        return set(self.store.recorded_expirations("GLD", on, kind))


@pytest.fixture
def house(tmp_path: Path, new_york: NewYorkHours) -> House:
    return House(tmp_path, new_york)


async def test_all_expirations_are_kept_as_of_the_close(house: House) -> None:
    await house.recorder.record_if_due()
    (line,) = house.store.sessions()
    assert (line.underlying, line.on, line.kind, line.source) == ("GLD", THURSDAY, "close_1600", "recorded:scripted")
    assert (line.contracts, line.expirations) == (15, 3)
    rows = house.store.load("GLD", THURSDAY)
    assert rows["snapshot_ts"].unique().to_list() == [DUE]
    assert (rows["underlying_price"].unique().to_list(), rows["bid"].unique().to_list()) == ([430.0], [6.1])
    assert house.recorder.state() == "GLD: recorded 3 of 3 expirations for 2026-05-14"


async def test_what_is_kept_is_given_out_by_the_recorded_market(house: House) -> None:
    from vaultdash.market.observed.provider import ObservedChains

    await house.recorder.record_if_due()
    chain = await ObservedChains(house.store, house.clock).chain("GLD", DAYS[1])
    assert chain.source == "recorded 14 May 2026 (scripted)"
    assert [quote.bid for quote in chain.quotes] == [6.1] * 5
    with pytest.raises(Refused, match="not recorded again"):
        house.store.record(chain, THURSDAY, SnapshotKind.CLOSE)


async def test_once_recorded_the_provider_is_asked_no_more(house: House) -> None:
    for _ in range(3):
        await house.recorder.record_if_due()
        house.clock.go_on(3600)
    assert (house.chains.listed, len(house.chains.asked)) == (1, 3)
    await house.restarted().record_if_due()
    assert (house.chains.listed, len(house.chains.asked)) == (2, 3)  # only what is listed had to be asked again


@pytest.mark.parametrize(
    "moment",
    [
        CLOSE - timedelta(hours=3),  # during the session
        CLOSE - timedelta(hours=10),  # Thursday 06:00, where Wednesday's chains belong
        CLOSE + timedelta(minutes=4, seconds=59),
        datetime(2026, 5, 15, 13, 30, tzinfo=UTC),  # Friday has opened
        datetime(2026, 5, 15, 20, 3, tzinfo=UTC),  # Friday has closed, and is not due yet
    ],
)
async def test_nothing_of_the_day_is_recorded_before_its_time_or_after_the_next_open(
    house: House, moment: datetime
) -> None:
    house.clock.at = moment
    await house.recorder.record_if_due()
    assert house.kept() == set()
    assert house.store.sessions() == []


@pytest.mark.parametrize(
    "moment",
    [
        DUE,
        datetime(2026, 5, 15, 3, 59, tzinfo=UTC),  # before midnight in New York
        datetime(2026, 5, 15, 4, 1, tzinfo=UTC),  # after it: still Thursday's session
        datetime(2026, 5, 15, 13, 29, tzinfo=UTC),
    ],
)
async def test_until_the_next_open_the_session_is_the_one_that_closed(house: House, moment: datetime) -> None:
    house.clock.at = moment
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)
    assert {line.on for line in house.store.sessions()} == {THURSDAY}


async def test_over_a_weekend_fridays_session_can_be_completed(house: House) -> None:
    house.clock.at = datetime(2026, 5, 17, 15, 0, tzinfo=UTC)
    house.chains.priced_at = datetime(2026, 5, 15, 20, 0, tzinfo=UTC)
    await house.recorder.record_if_due()
    assert house.kept(date(2026, 5, 15)) == set(DAYS)


async def test_an_early_close_is_recorded_from_five_past_one(house: House) -> None:
    close = datetime(2025, 11, 28, 18, 0, tzinfo=UTC)
    house.chains.priced_at = close
    house.clock.at = close + timedelta(minutes=4)
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    house.clock.go_on(60)
    await house.recorder.record_if_due()
    assert house.kept(date(2025, 11, 28)) == set(DAYS)


async def test_on_a_holiday_nothing_new_is_recorded(house: House) -> None:
    house.clock.at = datetime(2026, 5, 25, 20, 30, tzinfo=UTC)  # Memorial Day
    house.chains.priced_at = datetime(2026, 5, 22, 20, 0, tzinfo=UTC)
    assert house.recorder.due_session() == date(2026, 5, 22)


async def test_what_failed_is_tried_again_after_a_pause_and_the_rest_is_not_asked_twice(house: House) -> None:
    house.chains.failures = {DAYS[1]: Unavailable("no route")}
    await house.recorder.record_if_due()
    assert house.kept() == {DAYS[0], DAYS[2]}
    assert house.recorder.state() == (
        "GLD: recorded 2 of 3 expirations for 2026-05-14, next try at 16:15 New York: no route"
    )
    house.chains.failures = {}
    house.clock.go_on(599)
    await house.recorder.record_if_due()
    assert len(house.chains.asked) == 3
    house.clock.go_on(1)
    await house.recorder.record_if_due()
    assert house.chains.asked == [*DAYS, DAYS[1]]
    assert house.kept() == set(DAYS)


async def test_a_provider_that_goes_on_failing_is_asked_less_and_less(house: House) -> None:
    house.chains.listing_failure = Unavailable("no route")
    tries = []
    for minute in range(300):
        await house.recorder.record_if_due()
        if house.chains.listed > len(tries):
            tries.append(minute)
        house.clock.go_on(60)
    assert tries == [0, 10, 30, 70, 130, 190, 250]


async def test_a_provider_that_wants_to_be_left_alone_is(house: House) -> None:
    house.chains.failures = {DAYS[1]: RateLimited("too many requests", 1800)}
    await house.recorder.record_if_due()
    assert house.chains.asked == list(DAYS[:2])
    assert "next try at 16:35 New York: too many requests" in house.recorder.state()
    house.clock.go_on(1799)
    await house.recorder.record_if_due()
    assert len(house.chains.asked) == 2
    house.chains.failures = {}
    house.clock.go_on(1)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_three_failures_in_a_row_end_the_run(house: House) -> None:
    house.chains.days = tuple(date(2026, 6, 1) + timedelta(days=7 * number) for number in range(8))
    house.chains.failures = dict.fromkeys(house.chains.days, Unavailable("down"))
    await house.recorder.record_if_due()
    assert len(house.chains.asked) == 3


async def test_a_failing_list_is_tried_again(house: House) -> None:
    house.chains.listing_failure = Unavailable("no route")
    await house.recorder.record_if_due()
    assert house.recorder.state() == (
        "GLD: recorded 0 expirations for 2026-05-14, next try at 16:15 New York: no route"
    )
    house.chains.listing_failure = None
    house.clock.go_on(600)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_an_expiration_that_is_gone_is_not_waited_for(house: House) -> None:
    house.chains.failures = {DAYS[0]: NotFound("expired")}
    await house.recorder.record_if_due()
    assert house.recorder.state() == "GLD: recorded 2 of 2 expirations for 2026-05-14"


async def test_a_restart_goes_on_with_what_is_missing(house: House) -> None:
    house.chains.failures = {DAYS[1]: RateLimited("wait"), DAYS[2]: RateLimited("wait")}
    await house.recorder.record_if_due()
    assert house.kept() == {DAYS[0]}
    house.chains.failures, house.chains.asked = {}, []
    await house.restarted().record_if_due()
    assert house.chains.asked == list(DAYS[1:])
    assert house.store.load("GLD", THURSDAY).height == 15


async def test_a_clock_that_was_set_back_does_not_stop_recording(house: House) -> None:
    house.clock.at = DUE + timedelta(hours=10)
    house.chains.failures = {DAYS[1]: Unavailable("no route")}
    await house.recorder.record_if_due()
    house.chains.failures = {}
    house.clock.at = DUE
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_the_chain_that_comes_with_the_list_is_not_asked_for(house: House) -> None:
    house.chains.with_first = True
    await house.recorder.record_if_due()
    assert house.chains.asked == list(DAYS[1:])
    assert house.kept() == set(DAYS)


async def test_the_next_session_is_recorded_anew(house: House) -> None:
    await house.recorder.record_if_due()
    house.clock.at = DUE + timedelta(days=1)
    house.chains.priced_at = CLOSE + timedelta(days=1)
    await house.recorder.record_if_due()
    assert house.kept(date(2026, 5, 15)) == set(DAYS)
    assert house.recorder.state() == "GLD: recorded 3 of 3 expirations for 2026-05-15"


# what is never kept


@pytest.mark.parametrize(
    ("priced_at", "source", "reason"),
    [
        (CLOSE, DEMO_SOURCE, "invented"),
        (CLOSE, "stored close, x", "stored before"),
        (CLOSE - timedelta(days=1), "Scripted", "as of 2026-05-13 16:00 New York, not of 2026-05-14"),
        (CLOSE + timedelta(hours=9), "Scripted", "not of 2026-05-14"),
    ],
)
async def test_a_price_of_the_underlying_that_is_not_of_the_session_forbids_its_chains(
    house: House, priced_at: datetime, source: str, reason: str
) -> None:
    house.chains.priced_at = priced_at
    house.chains.underlying = {"source": source}
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    assert reason in house.recorder.state()


async def test_an_invented_chain_is_refused_by_recorder_and_store(house: House) -> None:
    house.chains.source = DEMO_SOURCE
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    chain = house.chains.chain_of("GLD", DAYS[0])
    with pytest.raises(Refused, match="never stored"):
        house.store.record(chain, THURSDAY, SnapshotKind.CLOSE)


async def test_a_chain_without_any_quote_is_not_taken_for_recorded(house: House) -> None:
    house.chains.quotes = {"bid": 0.0, "ask": 0.0, "last": 6.2}
    await house.recorder.record_if_due()
    assert house.kept() == set()
    assert "has hardly a bid and an ask near the money" in house.recorder.state()
    house.chains.quotes = {"bid": 6.1, "ask": 6.3}
    house.clock.go_on(600)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_a_chain_with_zeros_for_most_quotes_near_the_money_is_not_taken_for_recorded(house: House) -> None:
    chain_of = house.chains.chain_of

    def thinned(symbol: str, expiration: date) -> OptionChain:
        chain = chain_of(symbol, expiration)
        return replace(chain, quotes=(*chain.quotes[:2], *(replace(quote, bid=0.0) for quote in chain.quotes[2:])))

    house.chains.chain_of = thinned  # type: ignore[method-assign]  # what the twin answers this once
    await house.recorder.record_if_due()
    assert house.kept() == set()
    house.chains.chain_of = chain_of  # type: ignore[method-assign]  # as above
    house.clock.go_on(600)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_a_chain_from_before_the_close_is_not_kept(house: House) -> None:
    read = CLOSE - timedelta(minutes=6)
    house.chains.now = lambda: read
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    assert "was quoted at 2026-05-14 15:54 New York, before the close" in house.recorder.state()


async def test_a_source_that_lags_is_asked_when_it_has_seen_the_close(house: House) -> None:
    house.chains.underlying = {"delay_seconds": 900.0}
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    assert "next try at 16:16 New York: Scripted lags 15 minutes behind the close" in house.recorder.state()
    house.clock.go_on(660)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


class LateChains(ScriptedChains):
    """As Yahoo: the price of the underlying is of now, the quotes of options are a quarter of an hour late."""

    option_delay_seconds = 900.0


def late(house: House) -> LateChains:
    house.chains = chains = LateChains(house.clock)
    house.restarted()
    return chains


async def test_a_source_of_late_option_quotes_is_not_asked_before_those_of_the_close_can_be_had(house: House) -> None:
    chains = late(house)
    await house.recorder.record_if_due()
    assert (chains.listed, chains.asked) == (0, [])
    assert house.recorder.state() == (
        "GLD: recorded 0 expirations for 2026-05-14, next try at 16:16 New York: the option quotes of Scripted are "
        "15 minutes late; those of the close can be had from 16:16 New York"
    )
    house.clock.at = CLOSE + timedelta(minutes=15, seconds=59)
    await house.recorder.record_if_due()
    assert chains.listed == 0
    house.clock.go_on(1)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)
    assert house.store.load("GLD", THURSDAY)["snapshot_ts"].unique().to_list() == [CLOSE + timedelta(minutes=16)]


async def test_that_the_market_remembers_chains_does_not_hide_how_late_they_are(house: House) -> None:
    chains = late(house)
    market = Cached(chains, MemoryCache(), now=house.clock)  # type: ignore[arg-type]  # only its chains are asked for
    recorder = SnapshotRecorder(market, house.store, ["gld"], house.hours, house.clock)
    await recorder.record_if_due()
    assert chains.listed == 0
    assert "next try at 16:16 New York" in recorder.state()


async def test_recorded_by_hand_too_soon_after_the_close_says_from_when_on_it_can_be(house: House) -> None:
    chains = late(house)
    house.clock.at = CLOSE + timedelta(minutes=1)
    recordings = await house.recorder.record_now()
    assert not complete(recordings)
    assert chains.listed == 0
    assert recordings[0].words.endswith("can be had from 16:16 New York")
    house.clock.at = CLOSE - timedelta(hours=1)
    assert complete(await house.recorder.record_now())
    assert house.kept(kind=SnapshotKind.INTRADAY) == set(DAYS)


async def test_a_late_chain_read_at_the_close_is_none_of_the_close(house: House) -> None:
    chains = late(house)
    house.clock.at = CLOSE + timedelta(minutes=16)
    chains.now = lambda: CLOSE + timedelta(minutes=6)
    await house.recorder.record_if_due()
    assert house.store.sessions() == []
    assert "before the close" in house.recorder.state()


async def test_what_is_recorded_says_so_to_the_source(house: House) -> None:
    seen: list[bool] = []
    chain_of = house.chains.chain_of

    def watched(symbol: str, expiration: date) -> OptionChain:
        seen.append(is_for_the_record())
        return chain_of(symbol, expiration)

    house.chains.chain_of = watched  # type: ignore[method-assign]  # what the twin answers this once
    await house.recorder.record_if_due()
    assert seen == [True] * 4
    assert not is_for_the_record()


async def test_a_full_disk_is_reported_and_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as disk:

        def full(chain: OptionChain, on: date, kind: SnapshotKind) -> None:
            raise Unavailable("No space left on device")

        disk.setattr(house.store, "record", full)
        await house.recorder.record_if_due()
    assert "next try at 16:15 New York: No space left on device" in house.recorder.state()
    house.clock.go_on(600)
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


# at once


async def test_recorded_by_hand_during_the_session_is_intraday_and_does_not_count_as_the_close(house: House) -> None:
    house.clock.at = CLOSE - timedelta(hours=2)
    (recording,) = await house.recorder.record_now()
    assert recording.words == "GLD: recorded 3 of 3 expirations for 2026-05-14 (intraday)"
    assert house.kept(kind=SnapshotKind.INTRADAY) == set(DAYS)
    house.chains.quotes = {"bid": 7.1, "ask": 7.3}
    await house.recorder.record_now()
    assert house.store.load("GLD", THURSDAY)["bid"].unique().to_list() == [7.1]
    house.clock.at = DUE
    await house.recorder.record_if_due()
    assert house.kept() == set(DAYS)


async def test_recorded_by_hand_after_the_close_completes_the_session(house: House) -> None:
    house.chains.failures = {DAYS[1]: RateLimited("wait", 3000)}
    await house.recorder.record_if_due()
    house.chains.failures = {}
    recordings = await house.recorder.record_now()
    assert complete(recordings)
    assert house.kept() == set(DAYS)


async def test_recorded_by_hand_says_what_failed(house: House) -> None:
    house.chains.listing_failure = BadPayload("nonsense")
    recordings = await house.recorder.record_now()
    assert not complete(recordings)
    assert recordings[0].words.endswith("nonsense")


async def test_two_runs_at_once_ask_for_each_chain_once(house: House) -> None:
    await asyncio.gather(house.recorder.record_if_due(), house.recorder.record_if_due(), house.recorder.record_now())
    assert sorted(house.chains.asked) == list(DAYS)


async def test_before_any_session_nothing_is_due(house: House) -> None:
    house.clock.at = datetime(2004, 10, 20, 12, 0, tzinfo=UTC)
    assert house.recorder.due_session() is None
    assert house.recorder.state() == "nothing recorded yet"
    with pytest.raises(VaultError):
        await house.recorder.record_now()


def test_a_recording_that_knows_no_list_is_not_complete() -> None:
    assert not Recording("GLD", THURSDAY, SnapshotKind.CLOSE).is_complete
