"""`qloom serve`: a run's model behind HTTP."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.cli.engine import engine_line
from qloom.errors import ConfigError
from qloom.extras import package
from qloom.serving.claim import claimed
from qloom.serving.live_model import LiveModel
from qloom.serving.settings import Settings
from qloom.training.folder import MODEL_HELP

_TOKEN = "QLOOM_TOKEN"


def serve(
    run: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    host: Annotated[
        str, typer.Option(help="Address to listen at; one that other machines reach needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any that is free.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    token_file: Annotated[
        Path | None, typer.Option(help=f"File with the token that requests must carry; or set {_TOKEN}.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds until a request is given up.", min=0.1)] = 30.0,
    max_rows: Annotated[int, typer.Option(help="Rows in one request.", min=1)] = 10_000,
    max_megabytes: Annotated[float, typer.Option(help="Size of one request.", min=0.001)] = 8.0,
    queue_rows: Annotated[int, typer.Option(help="Rows that may wait; others are told to come back.", min=1)] = 20_000,
    wait: Annotated[float, typer.Option(help="Milliseconds a request waits for others.", min=0.0)] = 2.0,
) -> None:
    """Answer requests with a run's predictions: JSON and Arrow, checked, in batches; Ctrl-C ends it."""
    package("fastapi", "qloom serve", "serve")
    package("uvicorn", "qloom serve", "serve")
    package("httptools", "qloom serve", "serve")
    package("prometheus_client", "qloom serve", "serve")
    from qloom.serving import workers as processes

    settings = Settings(
        str(run), chosen, host, port, workers, read_token(token_file), wait=wait / 1000, queue_rows=queue_rows,
        timeout=timeout, max_rows=max_rows, max_bytes=int(max_megabytes * (1 << 20)),
    )  # fmt: skip
    model = LiveModel(run, chosen)
    with claimed(run):
        processes.serve(settings, model, lambda ready: _announce(ready, model))
    typer.echo("stopped: what was in flight is answered")


def read_token(file: Path | None) -> str | None:
    """The token of a file or of the environment; None for neither.

    Raises:
        ConfigError: for an empty one, or one that a header cannot hold.
    """
    token = os.environ.get(_TOKEN) if file is None else file.read_text("utf-8").strip()
    if token is None:
        return None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        where = _TOKEN if file is None else str(file)
        raise ConfigError(f"{where} holds no token, expected printable ASCII without spaces; write one there")
    return token


def _announce(settings: Settings, model: LiveModel) -> None:
    for line in introduction(settings, model):
        typer.echo(line)


def introduction(settings: Settings, model: LiveModel) -> list[str]:
    """What is served, where, and what to try."""
    schema, address = model.schema, settings.address
    lines = [f"{schema['run']}: {schema['model']}, version {schema['version']}, predicts {schema['target']}"]
    if schema["scores"] is not None:
        lines.append(f"  {spoken_scores(schema['scores'])}")
    if model.predictor.engine_ is not None and (line := engine_line(model.predictor.engine_.values())):
        lines.append(f"  {line}")
    processes = "1 process" if settings.workers == 1 else f"{settings.workers} processes"
    lines += [f"{address}  {processes}; rows can be tried in a browser there; Ctrl-C ends it", "try:"]
    row = {column["name"]: column["usual"] for column in schema["columns"]}
    token = ' -H "authorization: Bearer $QLOOM_TOKEN"' if settings.token else ""
    body = shlex.quote(json.dumps({"rows": [row]}, ensure_ascii=False))
    return [*lines, f"  curl -s {address}/predict{token} -H 'content-type: application/json' -d {body}"]


def spoken_scores(scores: dict[str, Any]) -> str:
    """Of the run's test rows, the model's beside its control's."""
    own, control = (
        f"{value:.4f}" if value is not None else "undefined" for value in (scores["model"], scores["control"])
    )
    return f"{scores['title']} {own} on test rows, beside {control} of a classical layer in place of the circuit"
