"""Looks up what a request names: its event and its templates, in the versions of now."""

from vaultdash.domain.errors import DatabaseError, InvalidInput, NotFound
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.backtest_request import Asked, BacktestRequest
from vaultdash.services.backtest_scenario import check_terms, window_of
from vaultdash.services.selloff_events import SelloffEvents
from vaultdash.services.templates import Templates
from vaultdash.strategies.templates import TEMPLATES

MOST_TEMPLATES = 60
AT = "@"  # between a template's id and the version that is wanted


class BacktestAsking:
    """Knows events and templates."""

    def __init__(self, events: SelloffEvents, templates: Templates) -> None:
        self._events = events
        self._templates = templates

    async def asked(self, request: BacktestRequest) -> Asked:
        """The request with what it names. Raises InvalidInput for what is unknown or contradicts itself.

        Where no template is named all are meant; the owner's own are left out, and that is said, when their database
        cannot be read. `mine@2` is the second version of a template.
        """
        check_terms(request)
        event = None
        if request.event is not None:
            try:
                event = await self._events.get(request.event)
            except NotFound as unknown:
                raise InvalidInput("event", f"is unknown. {unknown}") from None
        window_of(request, event)
        if request.templates:
            return Asked(request, await self._named(request.templates), event)
        try:
            every = await self._templates.all()
        except DatabaseError as error:
            return Asked(request, TEMPLATES, event, (f"Your own templates are left out: {error}",))
        if len(every) > MOST_TEMPLATES:
            raise InvalidInput(
                "templates",
                f"must be named: there are {len(every)} with your own, and a backtest takes at most {MOST_TEMPLATES}",
            )
        return Asked(request, every, event)

    async def _named(self, wanted: tuple[str, ...]) -> tuple[HedgeTemplate, ...]:
        if len(wanted) > MOST_TEMPLATES:
            raise InvalidInput("templates", f"must be at most {MOST_TEMPLATES}, not {len(wanted)}")
        found: dict[str, HedgeTemplate] = {}
        for name in wanted:
            template = await self._one(name)
            if found.setdefault(template.id, template) != template:
                raise InvalidInput("templates", f"name {template.id} in two versions; run one after the other")
        return tuple(found.values())

    async def _one(self, name: str) -> HedgeTemplate:
        template_id, _, version = name.strip().partition(AT)
        if version and not (version.isascii() and version.isdecimal() and len(version) < 10):
            raise InvalidInput("templates", f"name {name[:60]!r}; a version is written {template_id[:60]}{AT}2")
        try:
            return await self._templates.named(template_id, int(version) if version else None)
        except NotFound as unknown:
            raise InvalidInput("templates", f"are not all known. {unknown}") from None
