#!/bin/sh
# A constraint model with a whole-number objective is refused once someone has looked at the objective it does not have.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet ortools==9.15.6755
cd "$folder"
environment/bin/python - <<'PYTHON'
from ortools.sat.python import cp_model


def solved(look):
    model = cp_model.CpModel()
    x = model.new_int_var(0, 3, "x")
    model.maximize(x)
    if look:
        len(model.proto.floating_point_objective.vars)
    solver = cp_model.CpSolver()
    return solver.status_name(solver.solve(model)), model.validate()[:60]


for look in (False, True):
    status, mistake = solved(look)
    print(f"ortools 9.15.6755, looked at floating_point_objective: {look}: {status} {mistake!r}")
assert solved(False)[0] == "OPTIMAL"
assert solved(True)[0] == "MODEL_INVALID", "looking changes nothing any more"
PYTHON
