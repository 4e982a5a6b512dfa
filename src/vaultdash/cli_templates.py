"""vault-dash templates: hedges by rule, listed, copied, brought in and given away; imported late."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.domain.template import HedgeTemplate
    from vaultdash.services.template_files import FileFormat
    from vaultdash.services.vault import Vault

WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]
Show = Callable[["Table"], None]
TemplateArgument = Annotated[str, typer.Argument(help="Its id, as `vault-dash templates list` shows it")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the API answers")]
VersionOption = Annotated[int | None, typer.Option(min=1, help="One of its versions; default the newest")]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="json or yaml; default what the file's name says, else json")
]


def templates_app(with_vault: WithVault, show: Show) -> typer.Typer:
    """The commands under `templates`; `with_vault` runs work on a Vault and ends the command when it is refused."""
    app = typer.Typer(
        help="Hedges by rule: those of the house, and your own.", no_args_is_help=True, rich_markup_mode=None
    )
    _add_looking(app, with_vault, show)
    _add_files(app, with_vault)
    _add_changes(app, with_vault)
    return app


def _add_looking(app: typer.Typer, with_vault: WithVault, show: Show) -> None:
    @app.command("list")
    def list_(as_json: JsonOption = False) -> None:
        """All templates; those of the house first."""
        from vaultdash.api.respond import encode
        from vaultdash.api.template_schemas import TemplatesAnswer, template_document

        async def ask(vault: "Vault") -> "tuple[HedgeTemplate, ...]":
            return await vault.templates.all()

        found = with_vault(ask)
        if as_json:
            typer.echo(encode(TemplatesAnswer(tuple(template_document(each) for each in found))).decode())
        else:
            show(_table(found))

    @app.command("show")
    def show_(template: TemplateArgument, version: VersionOption = None, as_json: JsonOption = False) -> None:
        """One of them in words."""
        from vaultdash.api.respond import encode
        from vaultdash.api.template_schemas import template_document
        from vaultdash.services.template_words import template_lines

        found = with_vault(_named(template, version))
        if as_json:
            typer.echo(encode(template_document(found)).decode())
            return
        for line in template_lines(found):
            typer.echo(line)

    @app.command("schema")
    def schema() -> None:
        """The JSON Schema that exported templates follow."""
        import json

        from vaultdash.services.template_schema import DOCUMENT

        typer.echo(json.dumps(DOCUMENT, indent=2))


def _add_files(app: typer.Typer, with_vault: WithVault) -> None:
    @app.command("export")
    def export(
        template: TemplateArgument,
        file: Annotated[Path | None, typer.Argument(dir_okay=False, help="Default: print it")] = None,
        file_format: FormatOption = None,
        version: VersionOption = None,
        force: Annotated[bool, typer.Option("--force", help="Replace a file that is there")] = False,
    ) -> None:
        """Write one as a document that another installation takes."""

        async def work(vault: "Vault") -> str:
            from vaultdash.domain.errors import Refused
            from vaultdash.services.template_files import export_text

            text = export_text(await vault.templates.named(template, version), _format(file_format, file))
            if file is None:
                return text
            if file.exists() and not force:
                raise Refused(f"{file} is there already; name another file, or add --force to replace it")
            from vaultdash.files.whole import replace_file

            replace_file(file, text.encode())
            return f"{template} is in {file}.\n"

        typer.echo(with_vault(work), nl=False)

    @app.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON or YAML")],
        name: Annotated[str | None, typer.Option(help="Another name than in the file")] = None,
        new_id: Annotated[str | None, typer.Option("--id", help="Another id than in the file")] = None,
        replace_same: Annotated[
            bool, typer.Option("--replace", help="Make it a new version of your template of that id")
        ] = False,
    ) -> None:
        """Take a template from a file."""

        async def work(vault: "Vault") -> str:
            from vaultdash.services.template_files import MOST_BYTES, read_fields

            with file.open("rb") as opened:
                fields = read_fields(opened.read(MOST_BYTES + 1))
            given = {"name": name, "id": new_id}
            fields |= {field: value for field, value in given.items() if value is not None}
            kept = await vault.templates.bring(fields, replace_same=replace_same)
            return f"{kept.name} is kept as {kept.id}, version {kept.version}."

        typer.echo(with_vault(work))


def _add_changes(app: typer.Typer, with_vault: WithVault) -> None:
    @app.command("copy")
    def copy(
        template: TemplateArgument,
        name: Annotated[str, typer.Argument(help="What the copy is called")],
        new_id: Annotated[str | None, typer.Option("--id", help="Default: made of the name")] = None,
    ) -> None:
        """A template of your own with the same rules."""

        async def work(vault: "Vault") -> str:
            kept = await vault.templates.copy(template, name, new_id)
            return f"{kept.name} is kept as {kept.id}."

        typer.echo(with_vault(work))

    @app.command("remove")
    def remove(template: TemplateArgument) -> None:
        """Take one of your own out of the list; backtests that used it keep their version."""

        async def work(vault: "Vault") -> str:
            await vault.templates.remove(template)
            return f"{template} is removed."

        typer.echo(with_vault(work))


def _named(template: str, version: int | None) -> "Callable[[Vault], Awaitable[HedgeTemplate]]":
    async def ask(vault: "Vault") -> "HedgeTemplate":
        return await vault.templates.named(template, version)

    return ask


def _format(told: str | None, file: Path | None) -> "FileFormat":
    from vaultdash.domain.errors import InvalidInput
    from vaultdash.services.template_files import FileFormat

    ending = "" if file is None else file.suffix.lower()
    wanted = told or ("yaml" if ending in (".yaml", ".yml") else "json")
    if wanted not in set(FileFormat):
        raise InvalidInput("--format", f"must be json or yaml, not {wanted!r}")
    return FileFormat(wanted)


def _table(found: "tuple[HedgeTemplate, ...]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from vaultdash.services.template_words import leg_words

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("id", "name", "whose", "what"):
        table.add_column(name, overflow="fold")
    for each in found:
        whose = "house" if each.is_system else f"yours, version {each.version}"
        legs = "\n".join(leg_words(leg) for leg in each.legs)
        what = "nothing is bought" if not each.legs else f"repays instead: {legs}" if each.repays else legs
        table.add_row(each.id, escape(each.name), whose, what)
    return table
