"""Messages speak of arguments in Python, and of options at the command line."""

import re
from pathlib import Path

import pytest

import qloom
from qloom.cli.wording import OPTIONS, in_options
from qloom.data import inspect_table, read_table
from qloom.errors import DataError

TABLE = "a,y\n" + "".join(f"{i % 17}.5,{'' if i == 7 else i % 2}\n" for i in range(60))
SOURCES = [path for path in Path(qloom.__file__).parent.rglob("*.py") if "cli" not in path.parts]


def test_missing_target(qloom, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    with pytest.raises(DataError, match=r"drop these rows with drop_missing_target=True$"):
        inspect_table(read_table(path), "y")
    said = qloom("train", path, "--target", "y").err
    assert said.endswith("drop these rows with --set data.drop_missing_target=true\n")


def test_option_that_a_message_names_is_one(qloom, tmp_path, small):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    words = ("--set", "data.drop_missing_target=true", "--set", "training.epochs=0")
    assert "--set training.epochs=..." in qloom("train", path, "--target", "y", *words).err
    assert "say which with --query" in in_options("expected one; say which with query=")


@pytest.mark.parametrize("phrase", OPTIONS)
def test_every_phrase_is_one_of_some_message(phrase):
    """As it stands, or with the parts in braces that are filled in."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    text = text.replace("{{", "\0").replace("}}", "\1")
    filled = re.sub(r"\{[^{}\n]*\}", "a", re.sub(r"\{[^{}\n]*!r\}", "'a'", text)).replace("\0", "{").replace("\1", "}")
    assert re.search(phrase, filled)
