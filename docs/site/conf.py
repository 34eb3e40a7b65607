"""What Sphinx is told: the pages are put together by docs/site/__main__.py first."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.domains.python import PyObject

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from docs.site.docstrings import as_restructured
from docs.site.search import add_chinese

project, author = "qloom", "the authors of qloom"
copyright = "the authors of qloom; Apache-2.0"
version = release = version_of("qloom")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx_copybutton"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autosummary_generate = False
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_custom_sections = [("Shapes", "notes_style"), ("Source", "notes_style"), ("Errors", "notes_style")]
napoleon_use_ivar = True
default_role = "code"
smartquotes = False  # what is quoted may be typed
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
nitpicky = False  # types of other packages have no page here; what our own pages link to is checked on what is built

html_theme = "furo"
html_title = "qloom"
html_static_path = ["static"]
html_css_files = ["qloom.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8f", "color-brand-content": "#0b5c8f"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f2", "color-brand-content": "#7cc4f2"},
}
copybutton_exclude = ".linenos, .gp, .go"
# A name in a list of attributes is linked where one class has it, and left alone where several do.
suppress_warnings = ["ref.python"]


def setup(app) -> None:
    add_chinese()
    next(field for field in PyObject.doc_field_types if field.name == "variable").label = "Attributes"
    app.connect("config-inited", lambda app, config: setattr(config, "html_extra_path", [f"{app.srcdir}/extra"]))
    # Before napoleon, which reads sections of what this leaves.
    app.connect("autodoc-process-docstring", as_restructured, priority=100)
