"""Routes that describe their answers when the description is asked for, which the start does not wait for."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute


class Endpoint(APIRoute):
    """A route that answers with bytes of its own making: the models of its answers serve `/openapi.json` alone."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        responses: dict[int | str, dict[str, Any]] | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(path, endpoint, **rest)
        self.responses = responses or {}

    @cached_property
    def _described(self) -> dict[int | str, Any]:
        async def described() -> Response:
            return Response()

        path, told = self.path_format, self.responses
        return APIRoute(
            path, described, responses=told, name=self.name, generate_unique_id_function=by_name
        ).response_fields

    @property
    def response_fields(self) -> dict[int | str, Any]:
        """The models of the answers by status."""
        return self._described

    @response_fields.setter
    def response_fields(self, _: dict[int | str, Any]) -> None:
        """The start has none to keep."""


class Endpoints(APIRouter):
    """A group of endpoints, known by the names of their functions."""

    def __init__(self, *, prefix: str = "", tags: list[str] | None = None) -> None:
        super().__init__(
            prefix=prefix,
            tags=[*(tags or [])],
            route_class=Endpoint,
            generate_unique_id_function=by_name,
        )

    def take(self, group: APIRouter) -> None:
        """The group's routes as they are; including a router would build each of them a second time."""
        self.routes.extend(group.routes)


def by_name(route: APIRoute) -> str:
    """The operation's id."""
    return route.name
