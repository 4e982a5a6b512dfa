"""The endpoints of hedge templates: those of the house read and copied, the owner's own kept, as JSON or YAML."""

from typing import Annotated, Any

from fastapi import Body, Path, Query, Request, Response

from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING, IfMatch, told_version
from vaultdash.api.respond import respond, written
from vaultdash.api.template_schemas import (
    ANSWERED,
    CHANGE,
    ENTRY,
    TemplateCopyEntry,
    TemplateDocument,
    TemplatesAnswer,
    template_document,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.template_files import FileFormat, export_text, read_fields
from vaultdash.services.template_schema import DOCUMENT, require_fit
from vaultdash.services.vault import Vault

TemplateId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$", description="id of a template")]
Version = Annotated[int | None, Query(ge=1, description="one of its versions; default the newest")]
MEDIA = {FileFormat.JSON: "application/json", FileFormat.YAML: "application/yaml"}
_LAYOUT = {name: value for name, value in DOCUMENT.items() if name != "$schema"}
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document, as a file",
        "content": {MEDIA[FileFormat.JSON]: {"schema": _LAYOUT}, MEDIA[FileFormat.YAML]: {"schema": _LAYOUT}},
    }
}
SCHEMA_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A JSON Schema",
        "content": {"application/json": {"schema": {"type": "object", "additionalProperties": {}}}},
    }
}


def template_router(vault: Vault) -> Endpoints:
    """Everything below /api/templates."""
    router = Endpoints(tags=["templates"])
    kept = vault.templates

    @router.get("/api/templates", responses={200: {"model": TemplatesAnswer}, **ERRORS})
    async def templates(request: Request) -> Response:
        """All templates: those of the house, then the owner's own."""
        return respond(request, TemplatesAnswer(tuple(template_document(each) for each in await kept.all())))

    @router.post(
        "/api/templates",
        status_code=201,
        responses={201: {"model": TemplateDocument}, **WRITING},
        openapi_extra=_body(ENTRY),
    )
    async def add_template(request: Request) -> Response:
        """Keep a new template: its fields, or an exported document, in JSON or YAML."""
        fields, _ = _entry(await request.body())
        return _made(await kept.create(fields))

    @router.get("/api/templates/schema", responses={**SCHEMA_ANSWER, **ERRORS})
    async def template_schema(request: Request) -> Response:
        """The JSON Schema of an exported template."""
        return respond(request, DOCUMENT)

    @router.get("/api/templates/{template_id}", responses={200: {"model": TemplateDocument}, **ERRORS})
    async def read_template(request: Request, template_id: TemplateId, version: Version = None) -> Response:
        """One of them, in its newest version unless another is named."""
        return respond(request, template_document(await kept.named(template_id, version)))

    @router.put(
        "/api/templates/{template_id}",
        responses={200: {"model": TemplateDocument}, **WRITING},
        openapi_extra=_body(CHANGE),
    )
    async def change_template(request: Request, template_id: TemplateId, if_match: IfMatch = None) -> Response:
        """Keep a new version: what is given changes, the rest stays; `legs` are given as a whole."""
        fields, told = _entry(await request.body())
        changed = await kept.change(template_id, fields, told_version(if_match, *told))
        return written(template_document(changed))

    @router.delete("/api/templates/{template_id}", status_code=204, responses={204: {}, **WRITING})
    async def remove_template(template_id: TemplateId, if_match: IfMatch = None) -> Response:
        """Take one out; its versions stay for the backtests that used them."""
        await kept.remove(template_id, told_version(if_match))
        return Response(status_code=204)

    @router.get("/api/templates/{template_id}/export", responses={**EXPORTED, **ERRORS}, response_class=Response)
    async def export_template(
        template_id: TemplateId,
        file_format: Annotated[FileFormat, Query(alias="format", description="json or yaml")] = FileFormat.JSON,
        version: Version = None,
    ) -> Response:
        """The template as a file that another installation takes."""
        text = export_text(await kept.named(template_id, version), file_format)
        headers = {
            "Content-Disposition": f'attachment; filename="{template_id}.{file_format.value}"',
            "Cache-Control": "no-cache",
        }
        return Response(text.encode(), headers=headers, media_type=MEDIA[file_format])

    @router.post(
        "/api/templates/{template_id}/copy",
        status_code=201,
        responses={201: {"model": TemplateDocument}, **WRITING},
    )
    async def copy_template(template_id: TemplateId, entry: Annotated[TemplateCopyEntry, Body()]) -> Response:
        """A template of your own with the same rules, under another name."""
        return _made(await kept.copy(template_id, entry.name, entry.id))

    return router


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    either = {"schema": {"anyOf": [schema, _LAYOUT]}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(MEDIA.values(), either)}}


def _entry(body: bytes) -> tuple[dict[str, Any], tuple[int | None, int | None]]:
    """The fields of a template, and the versions told beside them."""
    fields = read_fields(body)
    told = {name: fields.pop(name, None) for name in (*ANSWERED, "expected_version")}
    for name in ("version", "expected_version"):
        if told[name] is not None:
            told[name] = require_fit(told[name], {"type": "integer"}, name)
            if told[name] < 1:
                raise InvalidInput(name, "must be 1 or more")
    return fields, (told["version"], told["expected_version"])


def _made(template: HedgeTemplate) -> Response:
    return written(template_document(template), 201, {"Location": f"/api/templates/{template.id}"})
