"""Sphinx settings of the site. `make docs` (tools/docs.py) builds it from a copy with generated pages."""

project = "Catalyst"
copyright = "Catalyst's authors, MIT licence"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Catalyst"
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
nitpicky = True
