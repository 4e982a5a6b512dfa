"""The methods of the API: HEAD is answered like GET, and what would change something is told that nothing can."""

from starlette.types import ASGIApp, Receive, Scope, Send

from vaultdash.api.errors import error_response

ALLOWED = "GET, HEAD"


class ReadOnly:
    """Guards the paths given, or with a slash at the end the beginnings of paths; others pass untouched."""

    def __init__(self, app: ASGIApp, *, paths: tuple[str, ...]) -> None:
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass reading on; the server leaves the body out for HEAD."""
        if scope["type"] == "http" and self._is_ours(scope["path"]):
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET"}
            if scope["method"] != "GET":
                refusal = error_response(
                    405, "method_not_allowed", f"Only {ALLOWED} can be used here", headers={"Allow": ALLOWED}
                )
                return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)

    def _is_ours(self, path: str) -> bool:
        return any(path == known or (known.endswith("/") and path.startswith(known)) for known in self.paths)
