"""`qloom watch`: a trained run and rows that came later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from qloom.cli.leaderboard import console_of_width, print_wrapped
from qloom.data.drift import PREDICTION
from qloom.errors import ConfigError
from qloom.training.configuration import Configuration, WatchSection, make_configuration, parse_change
from qloom.training.lock import locked
from qloom.training.versions import Ledger, Version

_SETTINGS_HELP = f"watch.KEY=value for this call; keys: {', '.join(WatchSection.model_fields)}. May be repeated."
_MOST_COLUMNS = 12


def watch(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: Annotated[
        str | None, typer.Argument(help="Table with the training columns; with the target, losses are watched too.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Where it matters, train a new version; taken if better on fresh rows.")
    ] = False,
    prequential: Annotated[
        bool, typer.Option("--prequential", help="Go through the rows in order: predict each, then learn from it.")
    ] = False,
    river: Annotated[
        str, typer.Option(help="Models of river beside it, of forest, tree, bagging, linear; none for none.")
    ] = "forest,tree",
    back: Annotated[bool, typer.Option("--back", help="Put the version in force that was before this one.")] = False,
    versions: Annotated[bool, typer.Option("--versions", help="List the versions of the run.")] = False,
    output: Annotated[Path | None, typer.Option(help="Page to write; by default watch.html in the run folder.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help=_SETTINGS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell whether new rows have drifted from a run's training rows, update its model, or go back to an older one."""
    _check_words(data, update=update, prequential=prequential, back=back, versions=versions)
    changes = [parse_change(text) for text in settings or []]
    if back:
        with locked(_existing(run)):
            number = Ledger(run).back()
        typer.echo(f"version {number} of {run} is in force" + ("" if number else ", the run's own model"))
        return
    if versions:
        _print_versions(Ledger(_existing(run)), as_json)
        return
    assert data is not None
    _watch_rows(run, data, query, update, prequential, river, output, changes, as_json)


def _check_words(data: str | None, **asked: bool) -> None:
    """Raise ConfigError for words that do not go together."""
    given = [f"--{name}" for name, wanted in asked.items() if wanted]
    if len(given) > 1:
        raise ConfigError(
            f"{' and '.join(given)} ask for different things, expected one of them; call qloom watch twice"
        )
    alone = [name for name in ("--back", "--versions") if name in given]
    if alone and data is not None:
        raise ConfigError(f"{alone[0]} takes no table, got {data!r}; leave it out")
    if not alone and data is None:
        raise ConfigError("no table of new rows was given, expected qloom watch RUN NEW_DATA; or --versions, or --back")


def _existing(run: Path) -> Path:
    from qloom.training.folder import RunFolder

    RunFolder(run).metrics()
    return run


def _changed(changes: Sequence[tuple[str, Any]]) -> Any:
    """A configuration -> it with other values of the section `watch`.

    Raises:
        ConfigError: for a key of another section.
    """
    for key, _ in changes:
        if not key.startswith("watch."):
            raise ConfigError(f"{key} changes no trained run, expected a key of watch; train another run")
    return lambda configuration: _with_section(configuration, changes) if changes else configuration


def _with_section(configuration: Configuration, changes: Sequence[tuple[str, Any]]) -> Configuration:
    values = {
        "name": configuration.name, "watch": configuration.watch.model_dump(),
        "data": {"source": configuration.data.source, "target": configuration.data.target},
    }  # fmt: skip
    return configuration.model_copy(update={"watch": make_configuration(values, changes).watch})


def _watch_rows(
    run: Path, data: str, query: str | None, update: bool, prequential: bool, river: str, output: Path | None,
    changes: Sequence[tuple[str, Any]], as_json: bool,
) -> None:  # fmt: skip
    from qloom.watching.looking import look, open_watched
    from qloom.watching.page import write_page

    def say(text: str) -> None:
        typer.echo(text, err=True)

    watched = open_watched(run, data, query, _changed(changes))
    if prequential:
        from qloom.watching.row_by_row import prequential as go_through

        names = tuple(name for name in river.split(",") if name and name != "none")
        found = go_through(watched, names, say)
        page = write_page(found, output or run / "prequential.html", "prequential.html.jinja")
    else:
        found = look(watched)
        if update and found["matters"]:
            from qloom.watching.updating import update as make_version

            with locked(run):
                found["update"] = make_version(watched, say)
        page = write_page(found, output or run / "watch.html", "watch.html.jinja")
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False, default=str))
    elif prequential:
        _print_prequential(found)
    else:
        _print_found(found, update)
    typer.echo(f"{page} written", err=as_json)


def _print_found(found: Mapping[str, Any], update: bool) -> None:
    from qloom.watching.page import p_text

    console = console_of_width()
    version = f", version {found['version']}" if found["version"] else ""
    table = Table(
        title=f"{found['run']}{version}: {found['n_rows']:,} new rows, {found['n_training_rows']:,} of the training",
        title_justify="left",
    )
    for name in ("column", "PSI", "test", "p (all columns)", "what moved most", ""):
        table.add_column(name, justify="right" if name in ("PSI", "p (all columns)") else "left")
    for each in found["columns"][:_MOST_COLUMNS]:
        moved = f"{each['group']}: {each['before']:.1%} to {each['after']:.1%}"
        name = "predictions" if each["column"] == PREDICTION else each["column"]
        statistic = f"{'KS' if each['test'].startswith('K') else 'chi2'} {each['statistic']:.3g}"
        mark = "moved" if each["matters"] else "date" if each["kind"] == "date" else ""
        table.add_row(name, f"{each['psi']:.3f}", statistic, p_text(each["p_corrected"]), moved, mark)
    console.print(table, markup=False)
    for line in sentences(found, update):
        print_wrapped(console, line)


def sentences(found: Mapping[str, Any], update: bool = False) -> list[str]:
    """What was found, in words."""
    from qloom.watching.page import told

    lines = told(found)
    if found["matters"] and not update:
        lines.append("To train a new version on labelled rows: qloom watch RUN NEW_DATA --update.")
    return lines


def _print_prequential(found: Mapping[str, Any]) -> None:
    console = console_of_width()
    table = Table(
        title=f"{found['run']} on {found['n_rows']:,} rows in order, each predicted, then learnt from",
        title_justify="left",
    )
    for name in ("learner", f"{found['metric']} (95% interval)", "better than the frozen model", "seconds"):
        table.add_column(name, justify="left" if name == "learner" else "right")
    for each in sorted(found["learners"], key=lambda each: each["score"][0], reverse=found["metric"] == "accuracy"):
        value, low, high = each["score"]
        gain = "" if each["role"] == "frozen" else "{:+.4f} ({:+.4f} to {:+.4f})".format(*each["beyond"])
        table.add_row(each["title"], f"{value:.4f} ({low:.4f} to {high:.4f})", gain, f"{each['seconds']:.1f}")
    console.print(table, markup=False)
    for note in found["notes"]:
        print_wrapped(console, note)


def _print_versions(ledger: Ledger, as_json: bool) -> None:
    if as_json:
        entries = [vars(version) for version in ledger.versions]
        typer.echo(json.dumps({"in_force": ledger.number, "versions": entries}, indent=1, default=dict))
        return
    console = console_of_width()
    table = Table(title=f"versions of {ledger.run}", title_justify="left")
    for name in ("version", "made", "from", "new rows", "how", "loss before", "after", ""):
        table.add_column(name, justify="right" if name in ("version", "new rows", "loss before", "after") else "left")
    table.add_row("0", "", "", "", "qloom train", "", "", "in force" if ledger.number == 0 else "")
    for version in ledger.versions:
        table.add_row(*_version_cells(version, ledger.number))
    console.print(table, markup=False)


def _version_cells(version: Version, in_force: int) -> tuple[str, ...]:
    losses = [f"{version.scores['models'][name]['loss']:.4f}" for name in ("old", "new")]
    state = "in force" if version.number == in_force else "" if version.accepted else "not taken"
    source = Path(version.data["source"]).name
    return (str(version.number), version.made[:16].replace("T", " "), source, f"{version.data['n_rows']:,}",
            version.how["title"], *losses, state)  # fmt: skip
