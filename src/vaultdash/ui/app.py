"""Mounts the pages beside the API, on the same port."""

import hashlib
from collections.abc import Awaitable
from pathlib import Path

import litecharts
from fastapi import FastAPI
from nicegui import core, ui
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from vaultdash.services.vault import Vault
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import overview

STATIC = Path(__file__).parent / "static"
CHART_LIBRARY = Path(litecharts.__file__).parent / "js" / "lightweight-charts.js"


def mount_pages(app: FastAPI, vault: Vault, origins: list[str]) -> None:
    """Serve the pages and their files; the pages' own socket accepts these origins only."""
    core.sio.eio.cors_allowed_origins = origins
    app.add_api_route("/static/vd/lightweight-charts.js", _chart_library, include_in_schema=False)
    app.add_api_route("/service-worker.js", _service_worker, include_in_schema=False)
    app.mount("/static/vd", StaticFiles(directory=STATIC), name="ui-static")
    version = hashlib.sha256((STATIC / "vault.css").read_bytes()).hexdigest()[:12]
    ui.add_head_html(
        f'<link rel="stylesheet" href="/static/vd/vault.css?{version}">\n'
        f'<script src="/static/vd/ages.js?{version}" defer></script>\n'
        f'<script src="/static/vd/push.js?{version}" defer></script>\n'
        '<link rel="manifest" href="/static/vd/manifest.webmanifest">\n'
        f'<script src="/static/vd/strikes.js?{version}" defer></script>\n'
        f'<script src="/static/vd/rings.js?{version}" defer></script>\n'
        f'<script src="/static/vd/unsaved.js?{version}" defer></script>',
        shared=True,
    )
    register(vault)
    ui.run_with(
        app,
        title="Vault Dashboard",
        favicon=STATIC / "icon.svg",
        dark=None,
        tailwind=False,
        gzip_middleware_factory=None,
        reconnect_timeout=10.0,
        show_welcome_message=False,
    )


def register(vault: Vault) -> None:
    """All pages; each path shows the same frame, so that going from page to page does not reload it.

    The code of a page is read at its first visit, which the start does not wait for.
    """

    def show_options(
        symbol: str | None = None, expiration: str | None = None, contract: str | None = None
    ) -> Awaitable[None]:
        from vaultdash.ui.pages import options

        return options.build(vault, symbol, expiration, contract)

    def show_hedge(contract: str | None = None) -> Awaitable[None]:
        from vaultdash.ui.pages import hedge

        return hedge.build(vault, contract)

    def show_workbench(hedge: str = "", b: str = "", c: str = "", d: str = "", contract: str = "") -> Awaitable[None]:
        from vaultdash.ui.pages import workbench, workbench_address

        named = tuple(one for one in (hedge, b, c, d) if one)
        return workbench.build(vault, workbench_address.Asked(named, contract))

    def show_what_if(hedge: str | None = None) -> Awaitable[None]:
        from vaultdash.ui.pages import what_if

        return what_if.build(vault, hedge)

    def show_risk() -> Awaitable[None]:
        from vaultdash.ui.pages import risk

        return risk.build(vault)

    def show_backtest(run: str | None = None, event: str | None = None) -> Awaitable[None]:
        from vaultdash.ui.pages import backtest

        return backtest.build(vault, run, event)

    def show_templates() -> Awaitable[None]:
        from vaultdash.ui.pages import templates

        return templates.build(vault)

    def show_history(portfolio: str | None = None) -> Awaitable[None]:
        from vaultdash.ui.pages import history

        return history.build(vault, portfolio)

    def show_alerts() -> Awaitable[None]:
        from vaultdash.ui.pages import alerts

        return alerts.build(vault)

    def show_settings() -> None:
        from vaultdash.ui.pages import settings

        settings.build(vault)

    def show_welcome() -> None:
        from vaultdash.ui.pages import welcome

        welcome.build(vault)

    pages = (
        Page("/", "Overview", lambda: overview.build(vault)),
        Page("/options", "Options", show_options),
        Page("/hedge", "Hedge", show_hedge),
        Page("/workbench", "Workbench", show_workbench),
        Page("/what-if", "What if", show_what_if),
        Page("/risk", "Risk", show_risk),
        Page("/backtest", "Backtest", show_backtest),
        Page("/history", "History", show_history),
        Page("/alerts", "Alerts", show_alerts),
        Page("/settings", "Settings", show_settings),
        Page("/templates", "Templates", show_templates, in_navigation=False),
        Page("/welcome", "Welcome", show_welcome, in_navigation=False),
    )

    def root() -> None:
        frame(vault, pages)

    for page in pages:
        ui.page(page.path, title=f"{page.title} · Vault Dashboard", response_timeout=10)(root)


async def _chart_library() -> FileResponse:
    return FileResponse(CHART_LIBRARY, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


async def _service_worker() -> FileResponse:
    """What shows notifications: from the root, so that it answers for every page, and asked for anew each time."""
    headers = {
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    }
    return FileResponse(STATIC / "service-worker.js", media_type="text/javascript", headers=headers)
