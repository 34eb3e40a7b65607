"""The Python of docs/scale.md runs as it is written, to the number and the notes that stand there."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "scale.md"


def test_what_is_learnt_ends_in_its_number(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text()
    section = text[text.index("## What is learnt") :]
    code, said = section[: section.index("prints **")], section[section.index("prints **") :]
    names: dict = {}
    exec("\n".join(line[4:] for line in code.splitlines() if line.startswith("    ")), names)
    assert f"prints **{capsys.readouterr().out.strip()}**" in said
    assert all(f"    {note}\n" in said for note in names["learnt"].notes)
