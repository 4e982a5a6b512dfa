"""How far a piece of work is, as a bar that screen readers read."""

from nicegui import ui

from vaultdash.ui.format import pct


class ProgressBar:
    """A fraction from 0 to 1."""

    def __init__(self, label: str, *, small: bool = False) -> None:
        with ui.element("div").classes("vd-progress" + (" small" if small else "")) as self._bar:
            self._done = ui.element("i")
        self._bar.props("role=progressbar aria-valuemin=0 aria-valuemax=100")
        self._bar.props["aria-label"] = label

    def show(self, fraction: float) -> None:
        """Draw how much is done."""
        share = min(max(fraction, 0.0), 1.0)
        self._done.style(f"width:{share * 100:.1f}%")
        self._bar.props(f"aria-valuenow={share * 100:.0f}")
        self._bar.props["aria-valuetext"] = pct(share, 0)
