"""Models to and from dimod, LP and MPS: the same numbers on every value."""

from __future__ import annotations

from itertools import product

import dimod
import numpy as np
import pytest

from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.exchange import (
    model_from_dimod,
    model_to_dimod,
    quadratic_from_dimod,
    quadratic_to_dimod,
)
from qloom.combinatorial.model import Model
from qloom.combinatorial.program_files import read_program, write_program
from qloom.combinatorial.program_formats.writing import plain as _plain
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError


@pytest.mark.parametrize("kind", ["binary", "spin"])
def test_quadratic_functions_go_to_dimod_and_back(kind):
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(np.triu(random.normal(size=(5, 5)), 1), kind, random.normal(size=5), 0.3)
    states = np.array(list(product((0, 1) if kind == "binary" else (-1, 1), repeat=5)))
    theirs = quadratic_to_dimod(function)
    np.testing.assert_allclose(theirs.energies((states, range(5))), function.energies(states))
    again, names = quadratic_from_dimod(theirs)
    np.testing.assert_allclose(again.energies(states[:, names]), function.energies(states))


def small_model(spins: bool) -> Model:
    random, model = np.random.default_rng(1), Model("max")
    x, y = model.binary("x", 3), model.integer("y", -1, 2)
    model.add(0.5)
    model.add(random.normal(size=3), x)
    model.add(random.normal(), y)
    model.add(random.normal(), y, y)
    model.add(random.normal(size=2), x[:2], x[1:])
    model.add(random.normal(), x[0], y)
    model.constrain("weight", np.append(x, y), [2, 3, 1, 1], "<=", 4)
    model.constrain("enough", x, 1, ">=", 1)
    model.constrain("sum", x[1:], 1, "==", 1)
    if spins:
        s = model.spin("s", 2)
        model.add(random.normal(size=2), s)
        model.add(random.normal(), s[0], x[0])
    return model


def values_of(model: Model) -> np.ndarray:
    steps = np.where(model.is_spin, 2, 1)
    return np.array(list(product(*map(range, model.lower, model.upper + 1, steps))))


def test_models_go_to_dimod_and_back():
    model = small_model(spins=True)
    theirs = model_to_dimod(model)
    values = values_of(model)
    for row in values:
        sample = dict(zip(theirs.variables, row.tolist(), strict=True))
        assert -theirs.objective.energy(sample) == pytest.approx(float(model.objective(row)))
        assert theirs.check_feasible(sample) == (not model.violated(row))
    again = model_from_dimod(theirs)
    np.testing.assert_allclose(again.objective(values), -model.objective(values))
    np.testing.assert_allclose(again.violations(values), model.violations(values))
    assert [c.name for c in again.constraints] == [c.name for c in model.constraints]


def linear_model() -> Model:
    model = Model("max")
    x, y, fixed = model.binary("x", 3), model.integer("y", -1, 2), model.integer("2 fixed", 2, 2)
    model.add(1.5)
    model.add([3, -1, 2.5], x)
    model.add(-2, y)
    model.add(1, fixed)
    model.constrain("weight", np.append(x, y), [2, 3, 1, 1], "<=", 4)
    model.constrain("enough", x, 1, ">=", 1)
    model.constrain("sum", x[1:], 1, "==", 1)
    return model


@pytest.mark.parametrize(
    ("make", "suffix"), [(lambda: small_model(spins=False), ".lp"), (linear_model, ".lp"), (linear_model, ".mps")]
)
def test_programs_go_to_files_and_back(tmp_path, make, suffix):
    model = make()
    again = read_program(write_program(model, tmp_path / f"program{suffix}"))
    values = values_of(model)
    assert again.sense == model.sense
    order = [again.labels.index(name) for name in _plain(model.labels)]
    theirs = np.empty_like(values)
    theirs[:, order] = values
    np.testing.assert_allclose(again.objective(theirs), model.objective(values), atol=1e-9)
    np.testing.assert_allclose(again.violations(theirs), model.violations(values))
    assert [c.name for c in again.constraints] == ["weight", "v_enough", "sum"]
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_files_keep_all_digits(tmp_path, suffix):
    """Two weights that six digits do not tell apart, and a row without variables."""
    numbers, model = [1234567.0, 1234568.0, 0.1, 1 / 3], Model()
    x = model.binary("x", 4)
    model.add(numbers, x)
    model.add(-1e-9 / 3)
    model.constrain("weight", x, numbers, "<=", 1234567.0)
    model.constrain("empty", [], [], "<=", 1)
    again = read_program(write_program(model, tmp_path / f"a{suffix}"))
    order = [again.labels.index(name) for name in _plain(model.labels)]
    np.testing.assert_array_equal(again.objective(np.eye(4)[order]), model.objective(np.eye(4)))
    assert again.constant == model.constant
    assert [bool(again.violated(row)) for row in np.eye(4)[order]] == [False, True, False, False]
    assert again.constraints[0].right == 1234567.0


def test_words_of_the_formats_are_no_names(tmp_path):
    words, model = ["bound", "Integers", "maximum", "semi", "sos1", "RHS", "_objective", "MARKER", "ENDATA"], Model()
    for word in words:
        model.add(1, model.binary(word))
    for suffix in (".lp", ".mps"):
        assert read_program(write_program(model, tmp_path / f"a{suffix}")).n == len(words)


def test_names_become_what_the_files_take_and_stay_apart():
    assert _plain(["a b", "a_b", "2x", "free", "x[0]", "ä"]) == ["a_b", "a_b_1", "v_2x", "v_free", "x_0_", "v__"]


LP = """maximize
 obj: 5 y + 4 z
subject to
 first: 6 y + 4 z <= 24
 second: y + 2 z <= 6
bounds
 y <= 10
 z <= 10
general
 y z
end
"""
MPS = """NAME          ranges
OBJSENSE
    MAX
ROWS
 N  obj
 L  first
 L  second
COLUMNS
    M1        'MARKER'                 'INTORG'
    y         obj       5   first     6
    y         second    1
    z         obj       4   first     4
    z         second    2
    M2        'MARKER'                 'INTEND'
RHS
    RHS       first     24  second    6
RANGES
    RNG       second    8
BOUNDS
 UP BND       y         10
 UP BND       z         10
ENDATA
"""


@pytest.mark.parametrize(
    ("text", "suffix", "names"),
    [(LP, ".lp", ["first", "second"]), (MPS, ".mps", ["first", "second >=", "second <="])],
)
def test_files_of_another_hand_are_read(tmp_path, text, suffix, names):
    """The best is 20 at (4, 0); a row of two limits becomes two constraints."""
    (tmp_path / f"a{suffix}").write_text(text)
    model = read_program(tmp_path / f"a{suffix}")
    assert certify_model(model, 10).objective == 20
    assert [c.name for c in model.constraints] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "max\n obj: x\nst\n a: x - y <= 1\ngeneral\n x y\nend\n",
            "line 6: 'x' has no upper bound and the constraints",
        ),
        ("min\n obj: x +* y\nst\n", r"line 2: '\*', expected a number or a variable"),
        ("hello world\n", "line 1: 'hello', expected a line Maximize or Minimize first"),
        ("", "is empty"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path, text, message):
    (tmp_path / "a.lp").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_program(tmp_path / "a.lp")


def test_what_the_formats_do_not_have_is_refused(tmp_path):
    model = Model()
    x = model.binary("x", 3)
    model.add(1, *x)
    with pytest.raises(ProblemError, match="products of 3 variables, expected at most 2 for dimod"):
        model_to_dimod(model)
    with pytest.raises(ProblemError, match="spins or products of more than 2"):
        write_program(model, tmp_path / "a.lp")
    with pytest.raises(ProblemError, match="in a folder that is there"):
        write_program(Model(), tmp_path / "nowhere" / "a.lp")
    with pytest.raises(ProblemError, match=r"expected a name that ends in \.lp or \.mps"):
        write_program(Model(), tmp_path / "a.txt")
    with pytest.raises(ProblemError, match=r"expected a file that ends in \.lp or \.mps"):
        read_program(tmp_path / "a.txt")
    theirs = dimod.ConstrainedQuadraticModel()
    theirs.add_constraint(dimod.Binary("a") * dimod.Binary("b") <= 0, label="both")
    with pytest.raises(ProblemError, match="constraint 'both' has products"):
        model_from_dimod(theirs)


def test_real_variables_of_dimod_are_continuous():
    theirs = dimod.ConstrainedQuadraticModel()
    theirs.set_objective(-1 * dimod.Real("r", lower_bound=0.5, upper_bound=2.5))
    model = model_from_dimod(theirs)
    assert certify_model(model, 10).solution.tolist() == [2.5]
    again = model_to_dimod(model)
    assert (again.vartype("r").name, again.lower_bound("r"), again.upper_bound("r")) == ("REAL", 0.5, 2.5)
