"""`qloom generate`: synthetic rows of a table, with what they are worth beside controls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from qloom.cli.kinds import KIND_HELP, parse_kinds
from qloom.cli.leaderboard import console_of_width, print_wrapped
from qloom.cli.wording import in_options
from qloom.data.writing import check_output, write_table
from qloom.models.generative.competitors import COMPETITORS
from qloom.reports.generation import write_generation_report
from qloom.training.configuration import default_name
from qloom.training.generation import Generation
from qloom.training.generation import generate as generate_rows
from qloom.training.generation_folder import GenerationFolder
from qloom.training.generation_table import headings, sentences, table_rows


def generate(
    data: Annotated[str, typer.Argument(help="Table (CSV, Parquet, Arrow, DuckDB) or demo:breast_cancer.")],
    rows: Annotated[int, typer.Option(help="Synthetic rows to write.")] = 10_000,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; by default in the run folder.")] = None,
    model: Annotated[str | None, typer.Option(help=f"{', '.join(COMPETITORS)}; what fits if not given.")] = None,
    target: Annotated[str | None, typer.Option(help="Column that a model of synthetic rows is to predict.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns to learn, with commas between; by default all.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KIND_HELP)] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    bins: Annotated[int, typer.Option(help="Of numbers and dates.")] = 8,
    categories: Annotated[str, typer.Option(help="Bits of categories: one-hot or binary.")] = "one-hot",
    max_levels: Annotated[int, typer.Option(help="Values of a category; the rarest are joined.")] = 16,
    time_limit: Annotated[float | None, typer.Option(help="Seconds to train each model that takes steps.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes everything random.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name of the run; by default the table's.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
) -> None:
    """Write synthetic rows of a table: a model and its controls learn it, and what their rows are worth is measured."""
    if out is not None:
        check_output(out)
    coding = (("bins", bins), ("categories", categories), ("max_levels", max_levels))
    asked = Generation(
        data, rows, model, _names(columns), tuple((parse_kinds(kind or []) or {}).items()), target, coding, query, seed,
        time_limit,
    )  # fmt: skip
    folder = output / (name or default_name(data))
    written = generate_rows(asked, folder, lambda text: typer.echo(in_options(text)))
    path = out or folder / "synthetic.parquet"
    write_table(written, path)
    report = write_generation_report(folder)
    _print(GenerationFolder(folder).metrics())
    typer.echo(f"\n{path} written: {written.num_rows} rows\n{report} written")


def _names(columns: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in columns.split(",") if name.strip()) if columns else ()


def _print(record: dict[str, Any]) -> None:
    console = console_of_width()
    table = Table(title=f"{record['name']}: rows of each model against {record['n_rows']['held out']} held-out rows")
    for heading in ("model", *headings(record)):
        table.add_column(heading, justify="left" if heading == "model" else "right", overflow="fold")
    for title, _, figures in table_rows(record):
        table.add_row(title, *figures)
    console.print(table, markup=False)
    print_wrapped(console, " ".join(sentences(record)))
