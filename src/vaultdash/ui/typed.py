"""How what is typed is read, for forms: the one reading that the commands have, too."""

from vaultdash.services.typed import (
    amount,
    as_amount,
    as_percent,
    day,
    percent,
    sentence,
    weight,
    whole,
)

__all__ = ["amount", "as_amount", "as_percent", "day", "percent", "sentence", "weight", "whole"]
