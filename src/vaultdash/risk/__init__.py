"""How gold moves, and what that means for the loan."""

from vaultdash.risk.calibration import ModelParameters, model_parameters, odds_by_model
from vaultdash.risk.margin_call import (
    MONITORINGS,
    Monitoring,
    TimeToCall,
    call_probability,
    distance_in_sigmas,
    ever_called,
    gap_risk,
    ltv_for_probability,
    time_to_call,
)
from vaultdash.risk.models import FilteredHistory, Flat, Jumps, Model, StochasticVolatility
from vaultdash.risk.path_verdict import path_verdicts
from vaultdash.risk.simulation import CallTerms, SimulatedOdds, simulated_odds

__all__ = [
    "MONITORINGS",
    "CallTerms",
    "FilteredHistory",
    "Flat",
    "Jumps",
    "Model",
    "ModelParameters",
    "Monitoring",
    "SimulatedOdds",
    "StochasticVolatility",
    "TimeToCall",
    "call_probability",
    "distance_in_sigmas",
    "ever_called",
    "gap_risk",
    "ltv_for_probability",
    "model_parameters",
    "odds_by_model",
    "path_verdicts",
    "simulated_odds",
    "time_to_call",
]
