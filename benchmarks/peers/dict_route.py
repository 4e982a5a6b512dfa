"""FastAPI returning a dict, as one writes it first. Usage: python -m benchmarks.peers.dict_route PORT FOLDER.

Serves each file NAME.json of the folder at /NAME, decoded once at start and encoded by FastAPI for each request.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI


def returning(payload: Any) -> Callable[[], Awaitable[Any]]:
    """An endpoint that answers this dict."""

    async def endpoint():  # type: ignore[no-untyped-def]  # an annotation would change the encoder
        return payload

    return endpoint


if __name__ == "__main__":
    app = FastAPI()
    for file in sorted(Path(sys.argv[2]).glob("*.json")):
        app.get(f"/{file.stem}")(returning(json.loads(file.read_bytes())))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        ws="websockets-sansio",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
