"""Lessons, tutorials and pages in the terminal, as a reader meets them."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from rich.console import Console

from qloom import extras
from qloom.cli import main
from qloom.cli.lessons import Reader
from qloom.cli.markdown import Prose
from qloom.learning import read_page


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def test_both_roads_are_listed(capsys):
    assert run("learn") == 0
    shown = capsys.readouterr().out
    assert "Quantum computing for people who train networks" in shown
    assert "Training for people who know circuits" in shown
    assert shown.count("\n  qloom learn quantum ") == shown.count("\n  qloom learn training ") == 6


def test_answers_are_checked(capsys):
    assert run("learn", "quantum", "1", "--answer", ".54", "--answer", "0.000") == 0
    shown = capsys.readouterr().out
    assert "right: 0.540" in shown
    assert "go on with: qloom learn quantum 2" in shown


def test_a_wrong_answer_is_told_and_ends_in_one(capsys):
    assert run("learn", "quantum", "1", "--answer", "0.5") == 1
    assert "0.5 is not right; the answer is 0.540, by" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "told"), [
    (("learn", "cooking"), "no road 'cooking', expected one of quantum, training"),
    (("learn", "quantum", "7"), "no lesson 7 of quantum, expected 1 to 6"),
    (("learn", "quantum", "1", "--answer", "1", "--answer", "2", "--answer", "3"), "3 answers, expected at most 2"),
    (("demo", "cooking"), "no tutorial 'cooking', expected one of adapter, bits, "),
    (("demo", "churn", "--data", "nowhere.csv"), "--data nowhere.csv is no file, expected telco_churn.csv.gz"),
    (("demo", "churn", "--data", "."), "--data . is no file, expected telco_churn.csv.gz"),
    (("demo", "kernels", "--out", "full"), "--out full is there already and not an empty folder; give another"),
    (("demo", "kernels", "--out", "full/file"), "--out full/file is there already and not an empty folder"),
    (("learn", "quantum", "--code", "a.py"), "--answer and --code belong to a lesson, got no number; give one"),
    (("learn", "quantum", "1", "--code", "a.py", "--answer", "1"), "--answer and --code a.py are given, expected one"),
    (("learn", "quantum", "1", "--code", "no/a.py"), "no is no folder, expected one for a.py; make it first"),
    (("demo", "churn"), "churn needs telco_churn.csv.gz: "),
    (("demo", "kernels", "--data", "table.csv"), "expected none: kernels has all it needs; leave it out"),
    (("docs", "cooking"), "no page 'cooking', expected one of "),
])  # fmt: skip
def test_mistakes_are_one_line(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert run(*words) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.count("\n") == 1


def test_pages_are_listed_and_shown(capsys):
    assert run("docs") == 0
    names = capsys.readouterr().out.split()
    assert {"noise", "start", "learn/quantum/1-one-qubit", "tutorials/churn"} <= set(names)
    for name in ("noise", "docs/noise.md"):
        assert run("docs", name) == 0
        assert "Noise: train for the machine you will get" in capsys.readouterr().out


def test_tables_lose_no_words(capsys):
    """Chinese has no spaces to break at: all of a cell stands there, in as many lines as it takes."""
    chinese = "训练前选定的角度可训练的线路" * 4
    table = f"| term | meaning |\n|---|---|\n| {'a long name ' * 4}| {chinese} |\n"
    Console(width=40).print(Prose(table))
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "".join(re.findall(r"[\u4e00-\u9fff]", printed)) == chinese


def test_long_lines_of_code_are_shown_whole(tmp_path, monkeypatch, capsys):
    """In a pipe of 80 columns too: the terminal breaks them."""
    line = "print('" + "x" * 100 + "')"
    (tmp_path / "page.md").write_text(f"# A page\n\n```python\n{line}\n```\n")
    monkeypatch.setenv("COLUMNS", "80")
    Reader(read_page(tmp_path / "page.md")).read()
    assert line in capsys.readouterr().out


def test_a_demo_has_a_new_folder_each_time(tmp_path, monkeypatch):
    """The second one too; a file that was given once is found again."""
    table = tmp_path / "mine.csv"
    table.write_text("a,b\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Reader, "read", lambda self: Path("made").touch())
    assert run("demo", "churn", "--data", "mine.csv") == run("demo", "churn") == 0
    for folder in ("churn", "churn-2"):
        assert {path.name for path in (tmp_path / "demos" / folder).iterdir()} == {"made", "telco_churn.csv.gz"}


def test_what_a_demo_needs_is_told_first(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extras, "version", missing)
    assert run("demo", "adapter") == 2
    assert "adapter needs accelerate; install it with: pip install 'qloom[llm]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def missing(package: str) -> str:
    raise PackageNotFoundError(package)


def test_a_terminal_with_few_letters(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "qloom", "learn", "quantum", "1"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True,
    )  # fmt: skip
    assert b"?Z?" in finished.stdout


def test_the_end_of_input_at_a_question_ends_as_ctrl_c_does():
    shown, code = read_at_terminal(["learn", "quantum", "1"], {"[Enter goes on]": "\x04"})
    assert code == 130
    assert "Traceback" not in shown


def test_a_page_at_a_terminal_is_read_in_a_pager():
    shown, code = read_at_terminal(["docs", "tutorials/churn"], {":": "q"}, TERM="xterm", PAGER="cat")
    assert code == 0
    assert "Churn: a table, a hybrid model and its controls" in shown
    assert "data: telco" not in shown


def test_the_code_of_a_lesson_is_written_and_runs(capsys, tmp_path):
    path = tmp_path / "lesson.py"
    assert run("learn", "quantum", "1", "--code", str(path)) == 0
    finished = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "2.498"
    assert run("learn", "quantum", "1", "--code", str(path)) == 2
    assert "exists already, expected a new file" in capsys.readouterr().err


def test_a_reader_at_a_terminal_is_asked():
    """Enter goes on from section to section; the first question is answered, the second's answer is asked for."""
    answers = {"[Enter goes on]": "", "Enter shows it]": ["0.5", "0.54", ""]}
    shown, ours = read_at_terminal(["learn", "quantum", "1"], answers)
    assert ours == 0
    assert "0.5 is not right; once more" in shown
    assert "right: 0.540" in shown
    assert "the answer is 0.000, by" in shown
    assert "right at the first try: 0 of 2" in shown
    assert shown.count("[Enter goes on]") == 3


def read_at_terminal(words: list[str], answers: dict[str, str | list[str]], **variables: str) -> tuple[str, int]:
    """What a program shows at a real terminal when its questions are answered in turn, and how it ends."""
    master, slave = pty.openpty()
    command, environment = [sys.executable, "-m", "qloom", *words], {**os.environ, "TERM": "dumb", **variables}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown, seen, deadline = "", 0, time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    shown += os.read(master, 65536).decode(errors="replace")
                except OSError:  # the program has ended
                    break
            for question, answer in answers.items():
                if question in shown[seen:]:
                    seen = len(shown)
                    text = answer if isinstance(answer, str) else answer.pop(0)
                    os.write(master, f"{text}\n".encode())
        return shown, process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(master)
