"""What a worker process runs: it imports this, and nothing of the tests that ask."""

from vaultdash.risk.simulation import SimulatedOdds, simulated_odds
from vaultdash.services.pricing_kernels import share_machine_code


def odds_in_a_worker(*asked: object) -> SimulatedOdds:
    share_machine_code()
    return simulated_odds(*asked)  # type: ignore[arg-type]
