"""What a reader sees of a page is all that stands there."""

from __future__ import annotations

import pytest

from qloom.cli.lessons import Reader
from qloom.errors import ArtifactError, ConfigError
from qloom.learning import PageRun, Part, check, differences, read_page
from qloom.learning.running import command_lines

PAGE = """# A title

Words.

## Exercise 1

How many?

<details>
<summary>Answer</summary>

Because of this.

```python
print(2)
```

```text
2
```

And of that.

</details>

What comes next.
"""


def test_an_answer_has_its_words_and_its_code(tmp_path):
    path = tmp_path / "1-page.md"
    path.write_text(PAGE, encoding="utf-8")
    page = read_page(path)
    (exercise,) = page.exercises
    assert [part.source for part in exercise.answer] == ["Because of this.", "print(2)", "And of that."]
    assert [part.source for part in page.closing] == ["What comes next."]
    assert [part.source for part in page.parts] == ["# A title\n\nWords."]


def test_in_the_terminal_what_stands_below_the_exercises_comes_after_them(tmp_path, capsys):
    path = tmp_path / "1-page.md"
    path.write_text(PAGE, encoding="utf-8")
    assert Reader(read_page(path), ["2"]).read() == 0
    shown = capsys.readouterr().out
    assert shown.index("Words.") < shown.index("How many?") < shown.index("right: 2") < shown.index("Because")
    assert shown.index("Because") < shown.index("And of that.") < shown.index("What comes next.")
    assert "print(2)" not in shown


@pytest.mark.parametrize(("given", "expected"), [
    *[(given, "0.61") for given in ("0.61", ".61", " 0.61 ", "'0.61'", "0.61.", '".61".', "6.1e-1", "= 0.61", "61%",
                                    "about 0.61", "0.612", "0.606", "61/100")],
    ("\u22121.129", "-1.129"), ("-1.13", "-1.130"), ("0.541", "0.540"), ("1/3", "0.333"), ("√0.1", "0.316"),
    ("-√0.5", "-0.707"), ("4.8E-7", "4.8e-07"), ("28 runs", "28"),
    ("750 000", "750000"), ("750,000", "750000"), ("|101⟩", "101"),
    *[(given, "4.8e-07") for given in ("4.8e-7", "4.8 x 10^-7", "4.8·10⁻⁷")],
    ("H", "h"), ("H(1)", "h"), ("'noise'", "Noise"),
])  # fmt: skip
def test_a_right_answer_may_be_written_as_people_do(given, expected):
    assert check(given, expected).is_right


@pytest.mark.parametrize(("given", "expected"), [
    *[(given, "0.61") for given in ("", "61", "0.63", "0.60", "0.62", "-.61", "yes", "0.61 or 0.62", "6.1/0")],
    ("-√0.5", "0.707"), ("- 0.61", "0.61"), ("0,61", "0.61"), ("61", "0.61"), ("π/2", "2"), ("0101", "101"),
    ("2^3", "2"), ("0.004", "0.005"),
    ("0.543", "0.540"), ("27", "28"), ("x", "h"), ("110", "101"), ("no noise", "noise"),
])  # fmt: skip
def test_a_wrong_answer_is_wrong(given, expected):
    assert not check(given, expected).is_right


def test_an_indented_block_is_cut_where_python_and_commands_meet(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "# A title\n\n    pip install .\n\n    x = 1\n    print(x)\n\n    qloom runs  # all\n", encoding="utf-8"
    )
    parts = [(part.kind, part.source, part.line) for part in read_page(path).parts if part.kind != "prose"]
    assert parts == [
        ("console", "pip install .", 2),
        ("python", "\nx = 1\nprint(x)", 3),
        ("sh", "qloom runs  # all", 7),
    ]


def test_a_command_that_fails_says_why(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    run = PageRun(tmp_path / "page.md")
    with pytest.raises(ConfigError, match=r"'qloom docs cooking' of page.md ended with 2: qloom: no page 'cooking'"):
        run.run(Part("sh", "qloom docs cooking", 0))
    with pytest.raises(ConfigError, match="runs 'rm x', expected a command of qloom"):
        run.run(Part("sh", "rm x", 0))
    assert capfd.readouterr().err == ""


QUESTION = "# T\n\n## Exercise 1\n\nWhich?\n\n"


@pytest.mark.parametrize("text", [QUESTION, QUESTION + "## Exercise 2\n\n", QUESTION + "## More\n\nWords.\n",
                                  QUESTION + "<details>\n\n```python\nprint(1)\n```\n\n</details>\n"])  # fmt: skip
def test_an_exercise_without_its_answer_is_refused(text, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match="'Exercise 1' has no answer, expected"):
        read_page(path)


def test_details_elsewhere_are_prose(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# T\n\n<details>\n\nWords.\n\n</details>\n", encoding="utf-8")
    assert "Words." in "".join(part.source for part in read_page(path).parts)


def test_commands_keep_what_is_quoted():
    source = "qloom solve 'a # b' \"c # d\" # comment\n# another\nqloom runs \\\n  --json\n"
    assert list(command_lines(source)) == ["qloom solve 'a # b' \"c # d\"", "qloom runs    --json"]


def test_code_of_a_page_is_compiled_as_in_a_file(tmp_path):
    source = "import dataclasses\n@dataclasses.dataclass\nclass A:\n    a: int\nprint(dataclasses.fields(A)[0].type)"
    assert PageRun(tmp_path / "page.md").run(Part("python", source, 0)) == "<class 'int'>\n"


def test_lines_that_stand_for_others_are_found_in_time():
    many = "\n".join(map(str, range(3000)))
    assert differences(many, "0\n...\n1500\n...\n2999") == []
    assert differences(many, "...\n1500\n...\n1400\n...") != []
    assert differences("a\nb", "a") != []
    assert differences("a", "a\n...") == []


def test_code_in_a_list_is_refused(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# T\n\n- one\n\n  ```python\n  print(1)\n  ```\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match="line 5: code that runs stands in a list, expected it below one"):
        read_page(path)
