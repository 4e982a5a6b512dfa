"""The API as an application of its own; pages are mounted beside it by `main`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, HTTPException
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from vaultdash.api import errors
from vaultdash.api.live import SEND_TIMEOUT_SECONDS, Broadcast, live_router
from vaultdash.api.methods import Methods
from vaultdash.api.routes import api_router
from vaultdash.services.vault import Vault

Lifespan = Callable[[Vault], AbstractAsyncContextManager[None]]
API_PATHS = ("/health", "/openapi.json", "/docs", "/api/")


def create_api(
    vault: Vault, lifespan: Lifespan | None = None, *, send_timeout_seconds: float = SEND_TIMEOUT_SECONDS
) -> FastAPI:
    """REST endpoints, `/ws/updates`, `/openapi.json` and `/docs` (its scripts are served from here)."""
    broadcast = Broadcast(vault)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await broadcast.start()
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(vault):
                    yield
        finally:
            await broadcast.stop()

    app = FastAPI(
        title="Vault Dashboard",
        version=vault.version,
        lifespan=running,
        docs_url=None,
        redoc_url=None,
    )
    app.state.broadcast = broadcast
    errors.install(app)
    app.add_middleware(Methods, paths=API_PATHS)
    for group in (api_router(vault), live_router(broadcast, send_timeout_seconds)):
        app.router.routes.extend(group.routes)  # including a router would build each route a second time
    assets = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/static/docs", StaticFiles(directory=assets), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Vault Dashboard API",
            swagger_js_url="/static/docs/swagger-ui-bundle.js",
            swagger_css_url="/static/docs/swagger-ui.css",
            swagger_favicon_url="/favicon.ico",
        )

    @app.get("/api/{rest:path}", include_in_schema=False)
    async def unknown(rest: str) -> None:
        raise HTTPException(404, f"There is no endpoint /api/{rest[:60]}; /docs lists them all")

    return app
