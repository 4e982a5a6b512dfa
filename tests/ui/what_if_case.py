"""A what-if of a hedged loan for the page's tests, by the kernel itself."""

from tests.risk.what_if_cases import a_case, a_hedge
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.risk.what_if import WhatIf, WhatIfChange, what_if


def asked(
    change: WhatIfChange, counting: HedgeCounting = HedgeCounting.CREDITED, hedge: ListedHedge | None = None
) -> tuple[WhatIf, HedgeCase, ListedHedge]:
    """With 22 puts at 400, unless another hedge is given; no maps."""
    case, chosen = a_case(counting), a_hedge() if hedge is None else hedge
    return what_if(case, chosen, change, with_maps=False), case, chosen
