"""API and pages on one port."""

import asyncio
import errno
import gc
import ipaddress
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from vaultdash.api.app import API_PATHS, create_api
from vaultdash.api.errors import http_error
from vaultdash.api.guards import OriginGuard, SecurityHeaders, allowed_hosts, allowed_origins
from vaultdash.bootstrap import build_vault
from vaultdash.domain.errors import VaultError
from vaultdash.jobs import start_jobs
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings, SettingsError

log = structlog.get_logger()
SOCKETS = ("/ws/updates", "/_nicegui_ws/")
RUNNING = (700, 10, 10)  # how often garbage is looked for, as Python has it


def create_app(settings: Settings, vault: Vault | None = None, *, pages: bool = True) -> FastAPI:
    """The application; NiceGUI allows one with pages in a process."""
    require_loopback(settings.host)
    vault = vault or build_vault(settings)
    origins = allowed_origins(settings.port, settings.cors_origins, settings.host)
    hosts = allowed_hosts(settings.cors_origins, settings.host)
    app = create_api(vault, running)
    if pages:
        os.environ.setdefault("NICEGUI_STORAGE_PATH", str(settings.data_dir / "nicegui"))
        from vaultdash.ui.app import mount_pages

        mount_pages(app, vault, sorted(origins))
        pages_app = next(route.app for route in app.routes if isinstance(route, Mount) and not route.path)
        cast(FastAPI, pages_app).add_exception_handler(HTTPException, http_error)
    app.add_middleware(OriginGuard, origins=origins, hosts=hosts, sockets=SOCKETS, data=API_PATHS)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["GET"], allow_headers=["*"]
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    return app


@asynccontextmanager
async def running(vault: Vault) -> AsyncIterator[None]:
    """Start the jobs with the first request's answer not waiting for the first price; end them in order.

    Only here are alerts raised, LTV recorded and somebody outside told that all is well. Raises DatabaseError when
    what the owner has entered cannot be read.
    """
    vault.heartbeat.keep = vault.alerts.evaluate
    try:
        await vault.open()
    except BaseException:
        await vault.aclose()
        raise

    async def begin() -> None:
        try:
            with suppress(VaultError):  # then the lists say so
                await vault.backtests.resume()
                await vault.sweeps.resume_open()
            await vault.warm()
            await vault.heartbeat.beat()
            with suppress(VaultError):  # without a price there is nothing to warm with
                await vault.warm_pricing()
        except Exception as error:  # the jobs try again; the house stays up and says what is missing
            log.error("start_failed", reason=repr(error), exc_info=True)

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


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on; raises SettingsError with a sentence when it cannot be had."""
    require_loopback(settings.host)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there. Is the dashboard running already? Else choose another --port"
        raise SettingsError(f"VAULT_PORT {settings.port} on {settings.host} cannot be used: {reason}.") from None


def serve(settings: Settings, listening: socket.socket) -> None:
    """Run until SIGINT or SIGTERM; connections that do not end by themselves are cut after five seconds.

    Raises DatabaseError, before anything is answered, when what is kept cannot be read.
    """
    import uvicorn

    from vaultdash.api.wire import wire_config
    from vaultdash.logs import start_logs

    start_logs()
    vault = build_vault(settings)
    server = uvicorn.Server(wire_config(create_app(settings, vault)))
    gc.freeze()  # code and routes are never garbage; less to look through means shorter pauses
    gc.set_threshold(*RUNNING)

    async def run() -> None:
        try:
            await vault.open()
        except VaultError:
            await vault.aclose()
            raise
        await server.serve(sockets=[listening])

    def stop(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)  # uvicorn raises the signal again when it has stopped: an orderly end is 0
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(run())
