"""A year of hourly LTV: how long its answer takes, and how long until the page has drawn it."""

import asyncio
import math
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Page

from benchmarks.api import Side, loaded, said, wait_for_price
from benchmarks.options import Options
from benchmarks.page import chromium
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import HOST, fetch, vault_dash
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.tables import ltv_snapshots

HOURS = 8_760
SAMPLES = 15
SECONDS = 6.0
CLIENTS = 20
YEAR = "/api/history/ltv?days=365"
DRAWN = "performance.getEntriesByName('vd-ltv-drawn').map(entry => entry.duration)"


def run(options: Options) -> list[Line]:
    """The product on a database that holds a year; the first answer of a start, warm ones, and drawings."""
    samples, seconds = options.samples or SAMPLES, options.seconds or SECONDS
    clients = options.clients or CLIENTS
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder:
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        asyncio.run(write_year(data_dir / "demo.db"))  # the demo market keeps one of its own
        with vault_dash(data_dir) as product, chromium() as browser:
            wait_for_price(product.port, 120.0)
            begun = time.perf_counter()
            status, body = fetch(product.port, YEAR)
            first = 1000 * (time.perf_counter() - begun)
            if status != 200 or body.count(b'"hourly"') < HOURS - 1:
                raise RuntimeError("the year is not there")
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://{HOST}:{product.port}/history")
            drawn = drawings(page, samples)
            side = Side()
            loaded(product.port, YEAR, clients, 0.5, ("Accept-Encoding: gzip",))
            side.add(product.port, YEAR, clients, seconds, ("Accept-Encoding: gzip",))
    size = f"{len(body) / 1e6:.1f} MB before compression"
    return [
        Line("history", "a year, from the request to the paint", "ms", Figure.of(drawn), goals=(Goal("p50", 500),)),
        Line("history", "the first answer with a year after a start", "ms", Figure.one(first), note=size),
        Line("history", f"{YEAR}, gzip", "ms", Figure.of(side.latencies), goals=(Goal("p95", 150),), note=said(side)),
    ]


def drawings(page: Page, samples: int) -> list[float]:
    """Milliseconds from the request for a year to the picture, by turns with all there is, which is as much."""
    taken = []
    page.wait_for_function(f"({DRAWN}).length > 0")
    for turn in range(2 * samples):
        known = page.evaluate(f"({DRAWN}).length")
        page.get_by_role("button", name=("all", "1 y")[turn % 2], exact=True).click()
        page.wait_for_function(f"({DRAWN}).length > {known}")
        page.wait_for_timeout(150)
        taken.append(page.evaluate(f"({DRAWN}).at(-1)"))
    return taken[2:]  # the first of each make the answer


async def write_year(file: Path) -> None:
    """Make the database and write a record an hour into it, up to the hour before this one."""
    database = SqlDatabase(f"sqlite:///{file}")
    await database.open()
    await database.aclose()
    last = datetime.now(UTC).replace(minute=0, second=1, microsecond=0) - timedelta(hours=1)
    rows = []
    for back in range(HOURS):
        ltv = 0.65 + 0.07 * math.sin(back / 900) + 0.01 * math.sin(back / 7)
        at = last - timedelta(hours=back)
        rows.append(
            {
                "portfolio_id": "main",
                "at": at,
                "kind": "hourly",
                "price": 276.0 / ltv,
                "quote_at": at,
                "source": "Yahoo",
                "is_fresh": True,
                "is_demo": False,
                "market_open": back % 3 == 0,
                "loan_amount": 600_000.0,
                "gold_value": 600_000.0 / ltv,
                "hedge_value": 0.0,
                "ltv": ltv,
                "lender_ltv": ltv,
                "ltv_after_payment": ltv,
                "ltv_credited": ltv,
                "warning_ltv": 0.70,
                "margin_call_ltv": 0.75,
                "close_out_ltv": 0.85,
            }
        )
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(sa.insert(ltv_snapshots), rows)
    engine.dispose()
