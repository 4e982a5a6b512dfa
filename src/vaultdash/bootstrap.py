"""Chooses the implementations and wires them into a Vault."""

import asyncio
import time
from collections.abc import Callable
from datetime import date, datetime

from vaultdash import __version__
from vaultdash.cache.base import Cache
from vaultdash.cache.memory import MemoryCache
from vaultdash.clock import MarketHours, NewYorkHours, utc_now
from vaultdash.compute.choice import sweep_compute
from vaultdash.compute.errand import edition
from vaultdash.compute.local import LocalCompute
from vaultdash.domain.alert import ChannelKind
from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.gold import INSTRUMENTS, InstrumentKind, instrument
from vaultdash.domain.loan import USUAL_REFERENCES, HedgeCounting, Interest, Loan, usual_day_count
from vaultdash.domain.option import contract_from_osi
from vaultdash.domain.portfolio import Portfolio
from vaultdash.files.storage_probe import StorageProbe
from vaultdash.files.whole import claimed
from vaultdash.market.base import ChainProvider, MarketProvider
from vaultdash.market.cached import Cached
from vaultdash.market.demo import DemoMarket
from vaultdash.market.failover import OK, Failover
from vaultdash.market.observed.history import ObservedHistory
from vaultdash.market.observed.provider import ObservedChains
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.market.stored import StoredMarket
from vaultdash.market.yahoo import YahooMarket
from vaultdash.notify.apprise_channel import AppriseNotifier
from vaultdash.notify.base import Notifier
from vaultdash.notify.console import ConsoleNotifier
from vaultdash.notify.deadman import DeadmansSwitch
from vaultdash.notify.push_hosts import PushHosts
from vaultdash.notify.push_keys import PushKeys
from vaultdash.notify.webpush import WebPushNotifier
from vaultdash.pricing.american import american_price
from vaultdash.pricing.base import FloatArray, Numbers, Rights
from vaultdash.pricing.compiled import Engine, ready_engine
from vaultdash.services.advice_doubts import AdviceDoubts
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.services.backtest_asking import BacktestAsking
from vaultdash.services.backtest_market import BacktestMarkets
from vaultdash.services.backtest_work import BacktestWork
from vaultdash.services.backtester import Backtester
from vaultdash.services.call_odds import CallOdds
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.exchange_rates import ExchangeRates
from vaultdash.services.heartbeat import Beat, Heartbeat
from vaultdash.services.hedge_advisor import HedgeAdvisor, Research
from vaultdash.services.held_hedges import HeldHedges
from vaultdash.services.loan_stress import LoanStress
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed
from vaultdash.services.pricing_kernels import PricingKernels, share_machine_code
from vaultdash.services.selloff_events import SelloffEvents
from vaultdash.services.selloff_replay import SelloffReplays
from vaultdash.services.snapshot_recorder import SnapshotRecorder
from vaultdash.services.sweep_plan import SweepPlanner
from vaultdash.services.sweep_records import SweepRecords
from vaultdash.services.sweeps import Sweeps
from vaultdash.services.templates import Templates
from vaultdash.services.vault import Vault
from vaultdash.services.workbench import Workbench
from vaultdash.settings import Settings
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.sql import SqlDatabase

YAHOO_INTERVAL_SECONDS = 15.0  # the shortest within the 300 requests an hour that Yahoo bears, with some to spare


def build_vault(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    hours: MarketHours | None = None,
    yahoo: MarketProvider | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Vault:
    """The house for these settings; clocks, `hours` and `yahoo` (with limits of its own) may be given by tests.

    It watches nothing until its heartbeat is told who keeps the beats, which the running server does. Raises Refused
    as `database_url` does.
    """
    kept_at = database_url(settings)
    hours = hours or NewYorkHours(settings.data_dir / "xnys.json")
    store = ParquetPrices(settings.data_dir, now=now)
    cache = build_cache(settings)
    snapshots = ObservedSnapshots(settings.data_dir, now)
    demo = DemoMarket(now=now, hours=hours, option_prices=model_prices)
    interval = settings.price_interval_seconds
    live: Cached | None = None
    if settings.market == "demo":
        provider, listed = Failover([demo]), Failover([Cached(demo, cache, now=now)])
        meanwhile = None
    else:
        if yahoo is None:
            interval = max(interval, YAHOO_INTERVAL_SECONDS)
        live = Cached(yahoo or YahooMarket(cache_dir=settings.data_dir / "yfinance", hours=hours), cache, now=now)
        known: list[MarketProvider] = [StoredMarket(store, now, snapshots.last_price)]
        recorded: list[ChainProvider] = [ObservedChains(snapshots, now)]
        if settings.market == "auto":
            known.append(demo)
            recorded.append(Cached(demo, cache, now=now))
        provider = Failover([live, *known])
        listed = Failover([live, *recorded])
        meanwhile = Failover(known)

    def problem(symbol: str) -> str | None:
        if live is None:
            return None
        state = provider.states(symbol).get(live.name, OK)
        return None if state == OK else state

    def chain_problem(symbol: str) -> str | None:
        if live is None:
            return None
        failed = {name: state for name, state in listed.states(symbol).items() if state != OK}
        return "; ".join(failed.values()) if live.name in failed else None

    def feed(source: MarketProvider) -> PriceFeed:
        return PriceFeed(source, store, hours, interval, now, problems=problem)

    prices, stand_in = feed(provider), feed(meanwhile) if meanwhile else None
    given = settings.model_fields_set
    database = SqlDatabase(kept_at)

    def known_price(symbol: str) -> float | None:
        quote = prices.known(symbol)
        return None if quote is None or (quote.is_demo and live is not None) else quote.price

    rates = ExchangeRates(
        lambda symbol: prices.known(symbol) or (stand_in.known(symbol) if stand_in else None), prices.latest
    )
    book = PortfolioBook(
        portfolio_of(settings),
        database,
        now,
        is_example=not given & {"units", "loan_amount"},
        given=frozenset(given),
        price=known_price,
        rates=rates,
    )
    history = DailyHistory(store, live, None if settings.market == "yahoo" else demo, hours, now, monotonic=monotonic)
    kernels = PricingKernels()
    templates = Templates(database, now)
    advisor = HedgeAdvisor(prices, book, now, demo=live is None, own=templates.own)
    interest = DollarRates(history)
    chains = OptionChains(listed, interest, hours, now, kernels.engine, problems=chain_problem)
    held = HeldHedges(chains, hours, now)
    heartbeat = Heartbeat(
        prices,
        stand_in,
        book,
        history,
        hours,
        now,
        monotonic=monotonic,
        held=held,
        seconds_per_symbol=YAHOO_INTERVAL_SECONDS if live is not None and yahoo is None else 0.0,
    )
    compute = LocalCompute(prepare=share_machine_code)
    odds = CallOdds(history, chains, interest, compute, now)
    workbench = Workbench(
        heartbeat,
        book,
        chains,
        interest,
        history,
        odds.volatilities,
        templates,
        database,
        compute,
        kernels.engine,
        AdviceDoubts(prices, demo=live is None),
        now,
        demo=live is None,
    )
    stress, selloffs = LoanStress(interest, now, kernels.engine), SelloffReplays(history, now)

    async def best_engine() -> Engine:
        await kernels.load()  # waits for the compiler, so that a backtest gives the same figures at any time
        return ready_engine()

    markets = BacktestMarkets(history, hours, ObservedHistory(snapshots))
    events = SelloffEvents(database, markets)
    backtests = Backtester(BacktestAsking(events, templates), BacktestWork(markets, best_engine), database, now)
    sweeps = Sweeps(
        SweepPlanner(markets, templates, events),
        lambda workers, leaves_a_core: sweep_compute(
            settings.dask_scheduler, workers, share_machine_code, leaves_a_core=leaves_a_core
        ),
        SweepRecords(database),
        lambda run: claimed(settings.data_dir / "sweeps" / f"{run}.lock"),
        best_engine,
        lambda: repr(edition()),
        now,
    )
    records = LtvHistory(database, hours, now, keeps_demo=live is None)
    deadman = DeadmansSwitch(settings.deadman_url, now)

    async def evaluated(beat: Beat) -> None:
        fresh = all(
            not status.is_stale and (live is None or not status.quote.is_demo) for status in beat.statuses.values()
        )
        if fresh and beat.snapshots.keys() >= {each.id for each in book.all}:
            await deadman.alive()

    alerts = AlertWatch(database, records, now, odds.quick, evaluated, hours=hours, trusts_demo=live is None)
    trusted = PushHosts(settings.push_hosts)
    push = WebPushNotifier(PushKeys(settings.data_dir), trusted, settings.push_contact)
    notifiers: dict[ChannelKind, Notifier] = {
        ChannelKind.CONSOLE: ConsoleNotifier(),
        ChannelKind.PUSH: push,
        ChannelKind.APPRISE: AppriseNotifier(trusted),
    }
    outbox = AlertOutbox(database, notifiers, now, told=alerts.events, receipt_path="/api/alerts/receipts/{}")
    recorder = None if live is None else SnapshotRecorder(live, snapshots, (book.symbol,), hours, now)
    disk = StorageProbe(settings.data_dir, monotonic)

    async def dependencies() -> dict[str, str]:
        source = demo if live is None else live
        states = {source.name.lower(): provider.states(book.symbol).get(source.name, "ok")}
        return {
            **states,
            "cache": await cache.state(),
            "storage": await disk.state(),
            "database": await database.state(),
            "alerts": heartbeat.keep_problem or "ok",
        }

    async def recorded_prices(osi: str) -> list[tuple[date, float]]:
        return await asyncio.to_thread(snapshots.mids, contract_from_osi(osi))

    async def warm() -> None:
        if isinstance(hours, NewYorkHours):
            await asyncio.to_thread(hours.warm)

    async def warm_pricing() -> None:
        await advisor.advise(Research(symbol=book.symbol))
        await kernels.load()

    return Vault(
        environment=settings.environment,
        version=__version__,
        market=settings.market,
        redis_enabled=settings.redis_url is not None,
        websocket_interval_seconds=settings.websocket_interval_seconds,
        now=now,
        prices=prices,
        book=book,
        history=history,
        heartbeat=heartbeat,
        advisor=advisor,
        chains=chains,
        recorder=recorder,
        database=database,
        held=held,
        odds=odds,
        stress=stress,
        selloffs=selloffs,
        templates=templates,
        events=events,
        backtests=backtests,
        sweeps=sweeps,
        workbench=workbench,
        records=records,
        alerts=alerts,
        outbox=outbox,
        push_key=push.public_key,
        recorded_prices=recorded_prices,
        warm=warm,
        warm_pricing=warm_pricing,
        dependencies=dependencies,
        closers=[
            database.aclose,
            compute.aclose,
            odds.aclose,
            deadman.aclose,
            outbox.aclose,
            cache.aclose,
            provider.aclose,
            chains.aclose,
            kernels.aclose,
            history.aclose,
            prices.aclose,
            backtests.aclose,
            sweeps.aclose,
            workbench.aclose,
            *([stand_in.aclose] if stand_in else []),
        ],
    )


def model_prices(
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    volatility: Numbers,
    right: Rights,
) -> FloatArray:
    """What the demo market's options are worth, with the engine that is ready."""
    return american_price(spot, strike, years, rate, dividend_yield, volatility, right, engine=ready_engine())


def build_cache(settings: Settings) -> Cache:
    """Redis when a URL is given, else memory."""
    if settings.redis_url is None:
        return MemoryCache()
    from vaultdash.cache.redis import RedisCache
    from vaultdash.cache.secret import installation_secret

    return RedisCache(settings.redis_url, installation_secret(settings.data_dir))


def database_url(settings: Settings) -> str:
    """Where the records are: the URL given, else a SQLite file in the data directory; the demo market has its own.

    What invented prices raise and record must not stand among what happened to the owner's loan: raises Refused when
    the demo market is to write into a database that was named.
    """
    if settings.market == "demo" and settings.database_url is not None:
        raise Refused(
            "VAULT_MARKET=demo invents prices, which must not get into the database that VAULT_DATABASE_URL names: "
            "leave VAULT_DATABASE_URL empty, and the demo market keeps a file of its own, demo.db"
        )
    name = "demo.db" if settings.market == "demo" else "vault.db"
    return settings.database_url or f"sqlite:///{settings.data_dir / name}"


def portfolio_of(settings: Settings) -> Portfolio:
    """The portfolio of the settings; raises InvalidInput when its parts contradict each other."""
    currency = settings.loan_currency
    is_told = "reference_rate" in settings.model_fields_set
    reference = settings.reference_rate if is_told else USUAL_REFERENCES[currency]
    loan = Loan(
        amount=settings.loan_amount,
        currency=currency,
        margin_call_ltv=settings.margin_call_ltv,
        warning_ltv=settings.warning_ltv,
        close_out_ltv=settings.close_out_ltv,
        hedge_counting=HedgeCounting(settings.hedge_counting),
        interest=Interest(reference, settings.loan_spread, usual_day_count(currency)),
    )
    pledged = instrument(settings.collateral)
    if pledged.kind is InstrumentKind.OTHER:
        raise InvalidInput("VAULT_COLLATERAL", f"must be one of {', '.join(INSTRUMENTS)}, not {pledged.symbol}")
    if pledged.symbol != "GLD" and "units" not in settings.model_fields_set:
        raise InvalidInput("VAULT_UNITS", f"must say how many {pledged.unit} of {pledged.symbol} are pledged")
    return Portfolio("main", Collateral.of(pledged, settings.units), loan)


def market_providers(settings: Settings) -> list[MarketProvider]:
    """The sources of live prices these settings name, unwrapped, for a check of each."""
    hours = NewYorkHours(settings.data_dir / "xnys.json")
    if settings.market == "demo":
        return [DemoMarket(now=utc_now, hours=hours, option_prices=model_prices)]
    return [YahooMarket(cache_dir=settings.data_dir / "yfinance", hours=hours)]
