"""Sphinx's settings for `make docs`: the guides in both languages, and the reference made from docstrings."""

from typing import Any

from penstock import __version__

project = "Penstock"
author = "The Penstock developers"
release = version = __version__
root_doc = "reference/contents"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
default_role = "code"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"Penstock {release}"
html_show_copyright = False


def skip_foreign(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn and PyTorch put into their subclasses: their own references describe it."""
    module = getattr(member, "__module__", None) or ""
    return True if module.split(".")[0] in {"sklearn", "torch", "abc"} else None


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", skip_foreign)
