"""API and pages on one port."""

import ipaddress
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from vaultdash.api.app import create_api
from vaultdash.api.guards import OriginGuard, SecurityHeaders, allowed_hosts, allowed_origins
from vaultdash.bootstrap import build_vault
from vaultdash.domain.errors import VaultError
from vaultdash.jobs import start_jobs
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings, SettingsError

log = structlog.get_logger()


def create_app(settings: Settings, vault: Vault | None = None, *, pages: bool = True) -> FastAPI:
    """The application; NiceGUI allows one with pages in a process."""
    require_loopback(settings.host)
    vault = vault or build_vault(settings)
    origins = allowed_origins(settings.port, settings.cors_origins)
    app = create_api(vault, running)
    if pages:
        os.environ.setdefault("NICEGUI_STORAGE_PATH", str(settings.data_dir / "nicegui"))
        from vaultdash.ui.app import mount_pages

        mount_pages(app, vault, sorted(origins))
    app.add_middleware(OriginGuard, origins=origins, hosts=allowed_hosts(settings.cors_origins))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["GET"], allow_headers=["*"]
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    return app


@asynccontextmanager
async def running(vault: Vault) -> AsyncIterator[None]:
    """Start the jobs with the first request's answer not waiting for the first price; end them in order."""
    import asyncio

    async def begin() -> None:
        await vault.warm()
        await vault.heartbeat.beat()
        with suppress(VaultError):  # without a price there is nothing to warm with
            await vault.warm_pricing()

    first = asyncio.create_task(begin())
    scheduler = start_jobs(vault)
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await vault.aclose()


def require_loopback(host: str) -> None:
    """Refuse to listen where others can reach: there is no authentication yet."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingsError(
            f"VAULT_HOST is {host!r}: without authentication this server listens on this computer only. "
            "Use 127.0.0.1 and reach it through an SSH tunnel."
        )


def serve(settings: Settings) -> None:
    """Run until interrupted."""
    import uvicorn

    from vaultdash.logs import start_logs

    start_logs()

    app = create_app(settings)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        ws="websockets-sansio",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
