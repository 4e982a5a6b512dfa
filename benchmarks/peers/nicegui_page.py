"""A bare NiceGUI page on FastAPI: one label, and /health. Usage: python -m benchmarks.peers.nicegui_page PORT."""

import os
import sys

os.environ.setdefault("NICEGUI_STORAGE_PATH", ".nicegui")

import uvicorn
from fastapi import FastAPI
from nicegui import ui

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    """Ready."""
    return {"status": "ok"}


@ui.page("/")
def page() -> None:
    """One number, so that both sides wait for the same thing."""
    ui.label("60.0").classes("bench-number")


if __name__ == "__main__":
    ui.run_with(app, title="Bare", show_welcome_message=False)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        ws="websockets-sansio",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
