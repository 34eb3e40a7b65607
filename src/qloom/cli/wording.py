"""Messages name arguments, as Python has them; at the command line they name the options that do the same."""

from __future__ import annotations

import re

# As messages of the library have it -> as the command line has it.
OPTIONS = {
    r"drop_missing_target=True": "--set data.drop_missing_target=true",
    r"task='(\w+)'": r"--task \1",
    r"kinds=\{'([^']*)': '([^']*)'\}": r"--kind '\1=\2'",
    r"\bas kinds says": "for --kind",
    r"\bformat='([\w:]*)'": r"--format \1",
    r"say which with query=": "say which with --query",
    r"use device='cpu'": "use the CPU (engine.device=cpu)",
    r"\bgroup='([^']*)'": r"--group '\1'",
    r"\btime='([^']*)'": r"--time '\1'",
    r"go on with resume=True": "go on with --resume",
    r"going on with resume=True": "qloom train RUN --resume",
    r"leave out resume": "leave out --resume",
    r"or force=True to score": "or --force to score",
    r"\bbins=(\w+)": r"--bins \1",
    r"\bcategories='([\w-]+)'": r"--categories \1",
    r"\bmax_levels=(\w+)": r"--max-levels \1",
    r"\bcolumns=\.\.\.": "--columns",
    r"\bcut=\.\.\.": "--cut",
    r"\bcut=([\d.e-]+)": r"--cut \1",
    r"\b(part|model|to)='(\w+)'": r"--\1 \2",
    r"another name\b": "another --name",
    r"another output\b": "another --output",
    r"give data=\.\.\. and background=\.\.\.": "give --data FILE and --background FILE",
    r"\bn_background=": "background-rows=",
    r"give data=\.\.\. with those to explain": "give --data FILE with those to explain",
    r"query asks a table, got none; give data with it": "--query asks a table, got none; give --data with it",
    r"write (another )?([a-z_.]+=\.\.\.) in the configuration": r"give \1--set \2 or write it into the configuration",
}


def in_options(message: str) -> str:
    """A message of the library as the command line says it."""
    for argument, option in OPTIONS.items():
        message = re.sub(argument, option, message)
    return message
