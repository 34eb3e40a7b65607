#!/bin/sh
# An indicator constraint whose row holds its own indicator: two solvers, two optima.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet coptpy==8.0.7 gurobipy==13.0.3
cd "$folder"
# With z = 0 the row asks for x = 2/3, which no whole number is; so z = 1, the row is off, and the best is x = 3: 12 - 4 = 8.
cat > model.lp <<'LP'
Maximize
 obj: 4 x - 4 z
Subject To
 i: z = 0 -> - 3 x - 2 z = -2
Bounds
 -2 <= x <= 3
Generals
 x
Binaries
 z
End
LP
sed 's/- 3 x - 2 z = -2/3 x + 2 z = 2/' model.lp > turned.lp
environment/bin/python - <<'PYTHON'
import coptpy
import gurobipy

quiet = gurobipy.Env(params={"OutputFlag": 0})
copt_environment = coptpy.Envr()


def with_gurobi(name):
    model = gurobipy.read(name, env=quiet)
    model.optimize()
    return round(model.ObjVal, 6)


def with_copt(name):
    model = copt_environment.createModel()
    model.setParam("Logging", 0)
    model.read(name)
    model.solve()
    assert model.status == coptpy.COPT.OPTIMAL
    return round(model.objval, 6)


seen = {name: (with_gurobi(name), with_copt(name)) for name in ("model.lp", "turned.lp")}
for name, (gurobi, copt) in seen.items():
    print(f"{name}: gurobipy 13.0.3 {gurobi:g}, coptpy 8.0.7 {copt:g}, both called optimal; right is 8")
assert seen == {"model.lp": (8.0, 0.0), "turned.lp": (8.0, 8.0)}, "one of them answers differently now"
PYTHON
