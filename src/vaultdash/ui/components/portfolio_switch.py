"""Which loan the pages speak of, and a way to another."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.ui.theme import text, visible


class PortfolioSwitch:
    """A pill that says it; with several loans it opens the list, and `choose` is told the id."""

    def __init__(self, choose: Callable[[str], object], classes: str = "") -> None:
        self._choose = choose
        self._shown: object = None
        with ui.element("button").classes(f"vd-pill {classes}").props("type=button") as self.pill:
            self._words = text("span", "")
            self._what = text("b", "", "vd-cut")
            self._arrow = text("span", "▾")
            with ui.menu().props("anchor='bottom left' self='top left' auto-close") as self._menu:
                self._list = ui.element("div").classes("vd-menu").props("role=menu")

    def show(self, words: str, what: str, loans: Sequence[tuple[str, str]], current: str) -> None:
        """Say it; `loans` are ids and names."""
        now = (words, what, tuple(loans), current)
        if now == self._shown:
            return
        self._shown = now
        self._words.set_text(words)
        self._what.set_text(what)
        several = len(loans) > 1
        visible(self._arrow, when=several)
        self.pill.props["aria-label"] = f"{words} {what}" + ("; choose another loan" if several else "")
        self.pill.props("" if several else "disabled", remove="disabled" if several else "")
        self._list.clear()
        with self._list:
            for key, name in loans if several else ():
                here = key == current
                with (
                    ui.element("button")
                    .classes("vd-menu-item" + (" picked" if here else ""))
                    .props(f"type=button role=menuitemradio aria-checked={'true' if here else 'false'}") as item
                ):
                    ui.label(name)
                item.on("click", lambda _, key=key: self._pick(key))

    def _pick(self, key: str) -> object:
        self._menu.close()
        return self._choose(key)
