"""What the parts of the workbench ask of its page."""

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.workbench_request import PathReport
from vaultdash.ui.components.workbench_draft import HedgeDraft


class BenchActs(Protocol):
    """One page; whatever it is asked runs behind it."""

    def refresh(self) -> None:
        """Show everything anew."""

    def recommend(self) -> None:
        """Begin anew with what the loan needs."""

    def count_by(self, counting: HedgeCounting) -> None:
        """Another counting."""

    def ask_frontier(self) -> None:
        """Ask for the candidates."""

    def answered_frontier(self) -> None:
        """The candidates are drawn, or cannot be."""

    def ask_paths(self) -> None:
        """Follow random paths."""

    def told_paths(self, drafts: Sequence[HedgeDraft], report: PathReport) -> None:
        """The paths have been followed."""

    def put(self, hedge: ListedHedge, origin: str) -> None:
        """Lay a hedge beside the others."""

    def tell(self, words: str) -> None:
        """Say something in passing."""

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run behind the page."""
