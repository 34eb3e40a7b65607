"""What a reader sees of a page is all that stands there."""

from __future__ import annotations

from qloom.learning import read_page

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
    assert page.parts[-1].source == "What comes next."
