"""The help is there at once: commands are imported only when they are called."""

import subprocess
import sys

from qloom.cli.main import COMMANDS


def test_help_names_every_command_and_imports_none():
    heavy = {"torch", "sklearn", "matplotlib", "scipy", "pyarrow"}
    code = (
        "import sys; from qloom.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: assert not {heavy} & set(sys.modules), 'imported for its help'"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert f" {name} " in ended.stdout
    assert "Train the hybrid model" in ended.stdout


def test_a_command_has_its_own_help(qloom):
    ended = qloom("report", "--help")
    assert ended.code == 0
    assert "Write report.html of a finished run." in ended.out
    assert "Run folder." in ended.out
