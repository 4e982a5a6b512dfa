"""The shapes of what is asked of hedge templates and answered. Shares, strikes and limits are fractions."""

from dataclasses import dataclass
from typing import Any

from vaultdash.api.portfolio_schemas import EXACT
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, Side, StrikeRule
from vaultdash.services.template_files import fields_of
from vaultdash.services.template_schema import TEMPLATE


@dataclass(frozen=True, slots=True)
class StrikeDocument:
    """How the strike is found; `value` is null for the first above the call price."""

    rule: StrikeRule
    value: float | None = None


@dataclass(frozen=True, slots=True)
class TemplateLegDocument:
    """One option: `right` put or call, `months` to expiry, over `share` of the covered units or `contracts`."""

    right: str
    strike: StrikeDocument
    months: float
    side: Side
    share: float
    contracts: int | None


@dataclass(frozen=True, slots=True)
class RollDocument:
    """What is done with the hedge after it was bought; what is null is never done."""

    days_before_expiry: int | None
    ratchet: float | None
    monetise_delta: float | None
    monetise_ltv: float | None
    rebuy: bool
    yearly_budget: float | None


@dataclass(frozen=True, slots=True)
class TemplateDocument:
    """A template with its version. Those of the house, `is_system`, never change: copy one to change it."""

    id: str
    version: int
    is_system: bool
    name: str
    description: str
    legs: tuple[TemplateLegDocument, ...]
    roll: RollDocument
    coverage: float
    funding: PremiumFunding
    counting: HedgeCounting | None
    repays: bool


@dataclass(frozen=True, slots=True)
class TemplatesAnswer:
    """Those of the house first, then the owner's own in the order in which they were made."""

    templates: tuple[TemplateDocument, ...]


@dataclass(frozen=True, slots=True)
class TemplateCopyEntry:
    """What the copy is called; its `id` is made of the name when left out."""

    __pydantic_config__ = EXACT

    name: str
    id: str | None = None


ANSWERED = ("version", "is_system")  # told by an answer, which can be sent back as it is
_VERSIONS: dict[str, Any] = {
    "expected_version": {"type": "integer", "description": "The version that was read; 409 when there is a newer"},
    "version": {"type": "integer", "description": "The same, as an answer tells it"},
    "is_system": {"type": "boolean", "description": "Of no effect, so that an answer can be sent back"},
}
ENTRY: dict[str, Any] = {**TEMPLATE, "properties": {**TEMPLATE["properties"], **_VERSIONS}}
CHANGE: dict[str, Any] = {name: value for name, value in ENTRY.items() if name != "required"}


def template_document(template: HedgeTemplate) -> TemplateDocument:
    """A template as it is told."""
    told = fields_of(template)
    legs = tuple(
        TemplateLegDocument(**{**leg, "strike": StrikeDocument(**leg["strike"])}) for leg in told.pop("legs")
    )
    roll = RollDocument(**told.pop("roll"))
    return TemplateDocument(version=template.version, is_system=template.is_system, legs=legs, roll=roll, **told)
