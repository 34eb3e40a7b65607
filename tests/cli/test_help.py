"""The help is there at once: commands are imported only when they are called."""

import subprocess
import sys
from importlib.metadata import version

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
    assert "Write report.html of a finished run, or its model card." in ended.out
    assert "Run folder." in ended.out


def test_version_imports_nothing_heavy():
    code = (
        "import sys; from qloom.cli import main\n"
        "try: main(['--version'])\n"
        "finally: assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == f"qloom {version('qloom')}\n"


def test_python_m_qloom():
    ended = subprocess.run([sys.executable, "-m", "qloom", "report", "none"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("qloom: none")


def test_a_file_named_as_a_command_is_no_command(qloom):
    assert "No such command" in qloom("nothing", "train").err
