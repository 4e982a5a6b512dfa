"""Turns the volatility surface into the shape of its answer."""

import math
from collections.abc import Sequence
from datetime import datetime

from vaultdash.api.option_schemas import CalendarAnswer, SmileAnswer, SurfaceAnswer, SviAnswer
from vaultdash.pricing.surface import SmileFit, VolatilitySurface
from vaultdash.services.chain_pricing import PricedChain

NO_SURFACE = "No surface: the chains loaded so far have no quote that is good enough."


def surface_answer(
    symbol: str, chains: Sequence[PricedChain], surface: VolatilitySurface | None, now: datetime
) -> SurfaceAnswer:
    """The slices with how well they fit, and where they contradict each other."""
    days = {chain.expiration: chain.days_to_expiry for chain in chains}
    fits = surface.slices if surface else ()
    oldest = min(chains, key=lambda chain: chain.at, default=None)
    return SurfaceAnswer(
        symbol=symbol,
        as_of=now,
        source=", ".join(dict.fromkeys(chain.source for chain in chains)),
        at=oldest.at if oldest else None,
        age_seconds=float(int(oldest.age_seconds)) if oldest else None,
        stale=any(chain.is_stale for chain in chains),
        demo=any(chain.is_demo for chain in chains),
        loaded=len(chains),
        sentence=surface.sentence if surface else NO_SURFACE,
        remarks=surface.remarks if surface else (),
        slices=tuple(
            _smile(surface, fit, days[fit.expiration]) for fit in fits if surface and fit.expiration in days
        ),
        calendar=tuple(
            CalendarAnswer(one.sooner, one.later, one.k, one.amount, one.is_quoted)
            for one in (surface.calendar if surface else ())
        ),
    )


def _smile(surface: VolatilitySurface, fit: SmileFit, days: int) -> SmileAnswer:
    found = fit.parameters
    return SmileAnswer(
        expiration=fit.expiration,
        days_to_expiry=days,
        years=fit.years,
        forward=fit.forward,
        atm_volatility=math.sqrt(surface.variance_rate(0.0, fit.years)),
        model=fit.model,
        parameters=None if found is None else SviAnswer(found.a, found.b, found.rho, found.m, found.s),
        quotes=fit.quotes,
        sparse=fit.is_sparse,
        rms_error=_known(fit.rms_error),
        max_error=_known(fit.max_error),
        rms_spreads=_known(fit.rms_spreads),
        max_spreads=_known(fit.max_spreads),
        lowest_k=fit.quoted[0] if fit.quotes else None,
        highest_k=fit.quoted[1] if fit.quotes else None,
        butterfly=fit.has_butterfly,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
