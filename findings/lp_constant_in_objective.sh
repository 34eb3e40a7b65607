#!/bin/sh
# One LP file, three readers: is the 10 of "obj: 10 + x" a number or the name of a variable?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet gurobipy==13.0.3 coptpy==8.0.7 highspy==1.16.0
cd "$folder"
cat > model.lp <<'LP'
Maximize
 obj: 10 + x
Subject To
 c: x <= 3
End
LP
environment/bin/python - <<'PYTHON'
import coptpy
import gurobipy
import highspy

solver = highspy.Highs()
solver.setOptionValue("output_flag", False)
solver.readModel("model.lp")
solver.run()
highs = solver.getInfo().objective_function_value, list(solver.getLp().col_names_)

quiet = gurobipy.Env(params={"OutputFlag": 0})
model = gurobipy.read("model.lp", env=quiet)
model.optimize()
gurobi = model.Status in (gurobipy.GRB.UNBOUNDED, gurobipy.GRB.INF_OR_UNBD), [v.VarName for v in model.getVars()]

model = coptpy.Envr().createModel()
model.setParam("Logging", 0)
model.read("model.lp")
model.solve()
copt = model.status == coptpy.COPT.UNBOUNDED, [v.name for v in model.getVars()]

print(f"highspy 1.16.0: optimum {highs[0]:g}, variables {highs[1]}")
print(f"gurobipy 13.0.3: unbounded {gurobi[0]}, variables {gurobi[1]}")
print(f"coptpy 8.0.7: unbounded {copt[0]}, variables {copt[1]}")
assert highs == (13.0, ["x"]), "HiGHS reads it differently now"
assert gurobi == (True, ["10", "x"]), "Gurobi reads it differently now"
assert copt[1] == ["10", "x"], "COPT reads it differently now"
PYTHON
