"""What-if: the heat map of twelve options beside QuantLib, and how long a page takes from a slider to its picture."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import QuantLib as ql  # noqa: N813
from playwright.sync_api import Page

from benchmarks.api import wait_for_price
from benchmarks.engine import timed
from benchmarks.options import Options
from benchmarks.page import chromium
from benchmarks.peers.american_formulas import Array, pricer
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import HOST, vault_dash
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption, leg_at
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.option import Right
from vaultdash.pricing import american_price
from vaultdash.pricing.compiled import kernels_problem
from vaultdash.risk.what_if import MAP_SIZE, WhatIfChange, what_if
from vaultdash.risk.what_if_values import WhatIfRow, book_values, hedge_book
from vaultdash.services.pricing_kernels import compile_kernels

SAMPLES = 60
MOVES = 40
LOOPS = 2
SPOT, RATE, CARRY = 460.0, 0.045, 0.004
EXPIRATIONS = (date(2026, 9, 18), date(2026, 12, 18), date(2027, 3, 19))
AT = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)
MAP_GOALS = (Goal("p50", 16.0), Goal("ratio", 1 / 50))
ERROR_GOAL = Goal("p50", 1e-3)
REDRAW_GOAL = (Goal("p95", 100.0),)
FAST, HIGH = ql.QdFpAmericanEngine.fastScheme, ql.QdFpAmericanEngine.highPrecisionScheme
CHECKED = 1000
SLIDERS = ("Gold", "Days forward", "Volatility", "Limits lower by")
SENTENCE = ".vd-whatif .vd-sentence"
# From the key to the first frame with the sentence changed, and to the frame after the last change of any kind.
WATCH = """(sentence) => {
  const seen = window.vdRedraw = { begun: 0, told: 0, last: 0 };
  const touched = () => { if (seen.begun) seen.last = performance.now(); };
  addEventListener('keydown', () => { seen.begun = performance.now(); seen.told = seen.last = 0; }, true);
  const page = document.querySelector('.vd-whatif');
  new MutationObserver(touched).observe(page, { subtree: true, childList: true, characterData: true });
  new MutationObserver(() => requestAnimationFrame(() => {
    if (seen.begun && !seen.told) seen.told = performance.now();
  })).observe(document.querySelector(sentence), { subtree: true, childList: true, characterData: true });
  for (const name of ['fillRect', 'fill', 'stroke']) {
    const drawn = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) { touched(); return drawn.apply(this, given); };
  }
}"""
TAKEN = """() => {
  const { begun, told, last } = window.vdRedraw;
  return told && last && performance.now() - last > 250 ? [told - begun, Math.max(told, last) - begun] : null;
}"""


def run(options: Options) -> list[Line]:
    """The kernel in this process, one thread; then the product and a browser."""
    compile_kernels()  # on disk, too, where the product looks for them: it is measured as it is after its first start
    if kernels_problem():
        raise RuntimeError(f"no kernels: {kernels_problem()}")
    return [*kernel_lines(options.samples or SAMPLES), *page_lines(options.samples or MOVES)]


def kernel_lines(samples: int) -> list[Line]:
    """Price x time and price x volatility of twelve options, and the whole answer with both maps."""
    case, hedge = a_case(), twelve_legs()
    book = hedge_book(hedge, case)
    prices = SPOT * np.linspace(0.4, 1.6, MAP_SIZE)
    days = np.linspace(0, 280, MAP_SIZE).round().astype(int).tolist()
    grids = {
        "time": [WhatIfRow(days=day) for day in days],
        "volatility": [WhatIfRow(volatility=shift) for shift in np.linspace(-0.1, 0.3, MAP_SIZE)],
    }
    lines = []
    for name, rows in grids.items():
        ours = Figure.of([timed(lambda rows=rows: book_values(book, case, prices, rows)) for _ in range(samples)])  # type: ignore[misc]
        columns = columns_of(hedge, case, prices, rows)
        loops = Figure.of([timed(lambda columns=columns: quantlib(columns, FAST)) for _ in range(LOOPS)])  # type: ignore[misc]
        title = f"heat map price x {name}, {MAP_SIZE} x {MAP_SIZE} x {len(hedge.legs)}"
        lines.append(Line("what_if", title, "ms", ours, loops, "QdFp fast", MAP_GOALS))
    lines.append(error_line(hedge, case, prices, grids["time"]))
    whole = Figure.of(
        [timed(lambda: what_if(case, hedge, WhatIfChange(price=-0.2, days=30))) for _ in range(samples)]
    )
    lines.append(Line("what_if", "the whole answer with both maps, 12 options", "ms", whole))
    return lines


def page_lines(moves: int) -> list[Line]:
    """A step of each slider, one after the other: until the sentence is new, and until nothing changes any more."""
    with (
        tempfile.TemporaryDirectory(prefix="vd-bench-") as folder,
        vault_dash(Path(folder)) as product,
        chromium() as browser,
    ):
        wait_for_price(product.port, 120.0)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://{HOST}:{product.port}/what-if")
        page.locator(SENTENCE, has_text="With the hedge").wait_for(timeout=120_000)
        page.wait_for_timeout(3_000)
        page.evaluate(WATCH, SENTENCE)
        taken = {slider: steps(page, slider, moves) for slider in SLIDERS}
    lines = []
    for slider, pairs in taken.items():
        for place, what in enumerate(("sentence and figures", "every chart and table")):
            figure = Figure.of([pair[place] for pair in pairs])
            lines.append(Line("what_if", f"slider {slider}: {what}", "ms", figure, goals=REDRAW_GOAL))
    return lines


def steps(page: Page, slider: str, moves: int) -> list[tuple[float, float]]:
    """Milliseconds of each step, up and down by turns after the first ones, which warm up."""
    page.locator(f".q-slider[aria-label='{slider}'] [tabindex]").focus()
    taken = []
    for count in range(moves + 3):
        page.keyboard.press("ArrowLeft" if count % 8 > 3 else "ArrowRight")
        told, last = page.wait_for_function(TAKEN, timeout=20_000, polling=100).json_value()
        if count >= 3:
            taken.append((told, last))
    return taken


def a_case() -> HedgeCase:
    """A loan of 600,000 on 2,174 shares."""
    loan = Loan(600_000.0, hedge_counting=HedgeCounting.CREDITED)
    return HedgeCase(SPOT, 2_174.0, loan, AT, RATE, CARRY)


def twelve_legs() -> ListedHedge:
    """Puts bought and sold on three expirations, with a smile, quoted a dime either side."""
    legs = []
    for place in range(12):
        expiration, strike = EXPIRATIONS[place % 3], 360.0 + 12.0 * place
        volatility = 0.28 - 0.007 * place
        years = a_case().years_to(expiration)
        fair = float(american_price(SPOT, strike, years, RATE, CARRY, volatility, "P"))
        option = ListedOption(Right.PUT, strike, expiration, max(fair - 0.1, 0.0), fair + 0.1, volatility=volatility)
        legs.append(leg_at(option, 2 if place % 4 else -2))
    return ListedHedge("twelve puts", tuple(legs))


def columns_of(hedge: ListedHedge, case: HedgeCase, prices: Array, rows: list[WhatIfRow]) -> tuple[Array, ...]:
    """Spot, strike, years and volatility of every value of the grid, flat."""
    legs = hedge.legs
    shape = (len(legs), len(rows), prices.size)
    strikes = np.array([leg.option.strike for leg in legs])[:, None, None]
    years = np.array([case.years_to(leg.option.expiration) for leg in legs])[:, None, None]
    left = years - np.array([row.days / 365 for row in rows])[:, None]
    own = np.array([leg.option.volatility or 0.0 for leg in legs])[:, None, None]
    volatility = np.clip(own + np.array([row.volatility for row in rows])[:, None], 0.01, None)
    return tuple(
        np.broadcast_to(column, shape).ravel() for column in (prices, strikes, np.maximum(left, 0.0), volatility)
    )


def quantlib(columns: tuple[Array, ...], scheme: object) -> Array:
    """A value at a time; exercise where no time is left."""
    price = pricer(scheme)  # type: ignore[arg-type]  # a scheme of the engine
    found = []
    for spot, strike, years, volatility in zip(*(column.tolist() for column in columns), strict=True):
        if years <= 0:
            found.append(max(strike - spot, 0.0))
        else:
            found.append(strike * price(spot / strike, RATE * years, CARRY * years, volatility * years**0.5))
    return np.array(found)


def error_line(hedge: ListedHedge, case: HedgeCase, prices: Array, rows: list[WhatIfRow]) -> Line:
    """The largest difference a share to QuantLib's high precision, of single options at cells picked evenly."""
    worst = 0.0
    few = np.linspace(0, len(rows) * prices.size - 1, CHECKED // len(hedge.legs)).astype(int)
    for leg in hedge.legs:
        alone = ListedHedge("one", (leg,), commission=0.0)
        values = book_values(hedge_book(alone, case), case, prices, rows).ravel()[few] / leg.shares
        columns = tuple(column[few] for column in columns_of(alone, case, prices, rows))
        spot, strike = columns[0], columns[1]
        (now,) = quantlib(
            tuple(np.array([each]) for each in (SPOT, leg.option.strike, case.years_to(leg.option.expiration),
                                                leg.option.volatility)),
            HIGH,
        )  # fmt: skip
        closing = leg.option.bid if leg.contracts > 0 else leg.option.ask
        exact = np.where(columns[2] > 0, quantlib(columns, HIGH) + (closing or 0.0) - now, 0.0)
        worst = max(worst, float(np.abs(values - np.maximum(exact, np.maximum(strike - spot, 0.0))).max()))
    note = f"{few.size * len(hedge.legs):,} values against QuantLib's high precision"
    return Line("what_if", "heat map, largest error", "USD", Figure.one(worst), goals=(ERROR_GOAL,), note=note)
