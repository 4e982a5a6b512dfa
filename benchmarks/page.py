"""What the owner waits for in a browser, against a bare NiceGUI page in the same browser and run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.api import wait_for_price
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import HOST, free_port, running, vault_dash

SAMPLES = 7
LIMIT_MS = 20_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LTV = ".vd-figure.big .value"
HEDGES = "tbody tr"
LADDER = ".vd-ladder tbody td"
WATCH = """(selector) => {
  const found = window.vdBench = {};
  const look = () => {
    const element = document.querySelector(selector);
    if (element && /[0-9]/.test(element.textContent)) { found.number = performance.now(); return; }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
PAINTED = """() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return paint && window.vdBench.number ? [paint.startTime, window.vdBench.number] : null;
}"""
GO = """([path, shows]) => new Promise((done, failed) => {
  const link = [...document.querySelectorAll('a')].find((one) => one.getAttribute('href') === path);
  const begun = performance.now();
  const look = () => {
    const element = document.querySelector(shows);
    if (location.pathname === path && element && /[0-9]/.test(element.textContent)) done(performance.now() - begun);
    else if (performance.now() - begun > 20000) failed(new Error('the page did not change'));
    else requestAnimationFrame(look);
  };
  link.click();
  requestAnimationFrame(look);
})"""


@dataclass(slots=True)
class Painted:
    """First contentful paint and the moment the number stands there, in seconds from the navigation."""

    paint: list[float] = field(default_factory=list)
    number: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Weight:
    """What a page costs the network with an empty cache, compressed, with headers."""

    kilobytes: float
    requests: int
    socket_kilobytes: float
    heaviest: str


def run(options: Options) -> list[Line]:
    """Cold with a new profile for each sample, warm with the one that has just been used."""
    samples = options.samples or SAMPLES
    port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="vd-bench-") as folder,
        vault_dash(Path(folder)) as product,
        running(["benchmarks.peers.nicegui_page", str(port)], port) as plain,
        chromium() as browser,
    ):
        wait_for_price(product.port)
        plain.until_200("/health")
        ours, bare = f"http://{HOST}:{product.port}", f"http://{HOST}:{port}"
        sides = ((ours, LTV), (bare, ".bench-number"))
        cold, warm = [Painted(), Painted()], [Painted(), Painted()]
        for count in range(samples + 1):
            for side, (address, selector) in enumerate(sides):
                with a_profile(browser, selector) as profile:
                    visit(profile, address, cold[side] if count else Painted())
                    visit(profile, address, warm[side] if count else Painted())
        changes = page_changes(browser, ours, samples, "/hedge", HEDGES)
        chains = page_changes(browser, ours, samples, "/options", LADDER)
        weights = {
            "/": weigh(browser, ours + "/", LTV),
            "/hedge": weigh(browser, ours + "/hedge", HEDGES),
            "/options": weigh(browser, ours + "/options", LADDER),
        }
        bare_weight = weigh(browser, bare + "/", ".bench-number")
    return [
        *paint_lines("cold cache", cold, 1.0),
        *paint_lines("warm cache", warm, 0.35),
        Line("page", "Overview to Hedge, table filled", "s", Figure.of(changes)),
        Line("page", "Overview to Options, ladder filled", "s", Figure.of(chains)),
        *weight_lines(weights, bare_weight),
    ]


def paint_lines(cache: str, sides: list[Painted], limit: float) -> list[Line]:
    """Both moments of the overview."""
    ours, bare = sides
    peer = "bare NiceGUI page"
    goals = (Goal("p50", limit),)
    return [
        Line("page", f"first paint, {cache}", "s", Figure.of(ours.paint), Figure.of(bare.paint), peer, goals),
        Line("page", f"LTV visible, {cache}", "s", Figure.of(ours.number), Figure.of(bare.number), peer),
    ]


def weight_lines(weights: dict[str, Weight], bare: Weight) -> list[Line]:
    """Kilobytes and requests of each page."""
    lines = []
    for path, weight in weights.items():
        sizes = Figure.one(weight.kilobytes), Figure.one(bare.kilobytes)
        counts = Figure.one(weight.requests), Figure.one(bare.requests)
        goals = (Goal("p50", 600),)
        socket = f"{weight.socket_kilobytes:.0f} kB over the socket, before its compression"
        said = f"heaviest: {weight.heaviest}; and {socket}"
        lines += [
            Line("page", f"weight of {path}", "kB", *sizes, "bare NiceGUI page", goals, said),
            Line("page", f"requests of {path}", "requests", *counts, "bare NiceGUI page"),
        ]
    return lines


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of $VAULT_CHROMIUM, of PATH, or playwright's own."""
    found = os.environ.get("VAULT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS), headless=True)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_profile(browser: Browser, selector: str) -> Iterator[BrowserContext]:
    """A profile with an empty cache whose pages note when the number is seen."""
    profile = browser.new_context(viewport={"width": 1280, "height": 900})
    profile.set_default_timeout(LIMIT_MS)
    profile.add_init_script(f"({WATCH})({selector!r})")
    try:
        yield profile
    finally:
        profile.close()


def visit(profile: BrowserContext, address: str, into: Painted) -> None:
    """Open the address in a new tab and note its two moments."""
    page = profile.new_page()
    page.goto(address, wait_until="commit")
    paint, number = page.wait_for_function(PAINTED).json_value()
    into.paint.append(paint / 1000)
    into.number.append(number / 1000)
    page.wait_for_load_state("networkidle")
    page.close()


def page_changes(browser: Browser, address: str, samples: int, path: str, shows: str) -> list[float]:
    """Seconds from the click in the navigation to the page's first filled table, with the files in the cache."""
    taken = []
    with a_profile(browser, LTV) as profile:
        for _ in range(samples + 1):
            page = profile.new_page()
            page.goto(address)
            page.wait_for_function(PAINTED)
            page.wait_for_timeout(500)
            taken.append(page.evaluate(GO, [path, shows]) / 1000)
            page.close()
    return taken[1:]


def weigh(browser: Browser, address: str, selector: str) -> Weight:
    """Load once with an empty cache and add up what came over the network until two seconds after the number."""
    with a_profile(browser, selector) as profile:
        page = profile.new_page()
        session = profile.new_cdp_session(page)
        sizes, names, frames = _listen(session)
        page.goto(address)
        page.wait_for_function(PAINTED)
        _calm(page)
    heavy = sorted(sizes.items(), key=lambda one: -one[1])[:4]
    heaviest = ", ".join(
        f"{names[one].rsplit('/', 1)[-1].split('?')[0] or '/'} {size / 1000:.0f}" for one, size in heavy
    )
    return Weight(sum(sizes.values()) / 1000, len(sizes), sum(frames) / 1000, heaviest)


def _listen(session: CDPSession) -> tuple[dict[str, float], dict[str, str], list[int]]:
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    frames: list[int] = []

    def sent(event: dict[str, Any]) -> None:
        names[event["requestId"]] = event["request"]["url"]

    def finished(event: dict[str, Any]) -> None:
        if names.get(event["requestId"], "").startswith("http"):
            sizes[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.loadingFinished", finished)
    session.on("Network.webSocketFrameReceived", lambda event: frames.append(len(event["response"]["payloadData"])))
    session.send("Network.enable")
    return sizes, names, frames


def _calm(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)
