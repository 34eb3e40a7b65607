#!/bin/sh
# An editable installation goes on looking for a module at the place it had when the package was installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
bin=$folder/environment/bin
"$bin/pip" install --quiet scikit-build-core==1.1.2 cmake==4.4.5 ninja==1.13.2
mkdir -p "$folder/project/src/shop"
cd "$folder/project"
cat > pyproject.toml <<'TOML'
[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"

[project]
name = "shop"
version = "1"

[tool.scikit-build]
wheel.packages = ["src/shop"]
TOML
printf 'cmake_minimum_required(VERSION 3.20)\nproject(shop LANGUAGES NONE)\n' > CMakeLists.txt
echo > src/shop/__init__.py
echo "price = 3" > src/shop/till.py
"$bin/pip" install --quiet --no-build-isolation --editable .
cd "$folder"
"$bin/python" -c "import shop.till; print('as installed:', shop.till.__file__.rsplit('/src/')[1], shop.till.price)"
# The module becomes a package with the same contents: what is imported does not change its name.
mkdir "$folder/project/src/shop/till"
mv "$folder/project/src/shop/till.py" "$folder/project/src/shop/till/__init__.py"
"$bin/python" - <<'PYTHON'
from importlib.metadata import version

try:
    import shop.till
except FileNotFoundError as error:
    place = error.filename.rsplit("/src/")[1]
    print(f"scikit-build-core {version('scikit-build-core')}: import of the moved module: FileNotFoundError, {place}")
else:
    raise SystemExit(f"the moved module is found now: {shop.till.__file__}")
PYTHON
