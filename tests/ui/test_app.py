"""What the pages are served from."""

import hashlib

from vaultdash.strategies.engine import STRATEGIES
from vaultdash.ui.app import CHART_LIBRARY, STATIC
from vaultdash.ui.theme import HEDGE_COLOURS

PINNED = "756b0ba9f58930226d6b8b9d47ad310448ab85d799ea1f7c2c02304777c10b52"


def test_the_chart_library_is_the_official_build() -> None:
    # lightweight-charts 5.1.0, standalone production build
    assert hashlib.sha256(CHART_LIBRARY.read_bytes()).hexdigest() == PINNED


def test_every_strategy_has_a_colour_of_its_own() -> None:
    assert set(HEDGE_COLOURS) == {strategy.name for strategy in STRATEGIES}
    assert len(set(HEDGE_COLOURS.values())) == len(HEDGE_COLOURS)


def test_own_files_name_no_other_host() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, file.name
        assert "https://" not in text, file.name
