"""What a reader sees of a page is all that stands there."""

from __future__ import annotations

import pytest

from qloom.cli.lessons import Reader
from qloom.learning import check, read_page

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


@pytest.mark.parametrize("given", ["0.61", ".61", " 0.61 ", "'0.61'", "0.61.", '".61".', "0.60", "6.1e-1"])
def test_a_right_number_may_be_written_as_people_do(given):
    assert check(given, "0.61").is_right


@pytest.mark.parametrize("given", ["", "61", "0.63", "-.61", "yes"])
def test_a_wrong_answer_is_wrong(given):
    assert not check(given, "0.61").is_right


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
