#!/bin/sh
# GLPK writes a maximization to MPS and reads back a minimization.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet swiglpk==5.0.13
cd "$folder"
environment/bin/python - <<'PYTHON'
import swiglpk as glpk

glpk.glp_term_out(glpk.GLP_OFF)
model = glpk.glp_create_prob()
glpk.glp_set_obj_dir(model, glpk.GLP_MAX)
glpk.glp_add_cols(model, 1)
glpk.glp_set_col_name(model, 1, "x")
glpk.glp_set_col_bnds(model, 1, glpk.GLP_DB, 0, 3)
glpk.glp_set_obj_coef(model, 1, 1.0)
glpk.glp_simplex(model, None)
before = glpk.glp_get_obj_val(model)
glpk.glp_write_mps(model, glpk.GLP_MPS_FILE, None, "model.mps")
again = glpk.glp_create_prob()
glpk.glp_read_mps(again, glpk.GLP_MPS_FILE, None, "model.mps")
glpk.glp_simplex(again, None)
after = glpk.glp_get_obj_val(again)
print(f"GLPK {glpk.glp_version()}: maximize x, 0 <= x <= 3: optimum {before:g}; written to MPS and read back: {after:g}")
assert "MAX" not in open("model.mps").read().upper(), "the sense is written now"
assert (before, after) == (3.0, 0.0), "the sense is kept now"
PYTHON
