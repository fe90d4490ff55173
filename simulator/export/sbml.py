"""An exported model as SBML: made from its Antimony text, given its notes, and checked.

The only module that knows the libraries of the extra `sbml`.
"""

from __future__ import annotations

from html import escape

from simulator.errors import CommandError
from simulator.export.antimony_text import Model

MISSING = (
    "SBML needs an extra: pip install 'apheresis-simulator[sbml]'; --format antimony needs none"
)


def require() -> None:
    """Raise `CommandError` if the extra is not installed."""
    try:
        import antimony  # noqa: F401
        import libsbml  # noqa: F401
    except ImportError:
        raise CommandError(MISSING) from None


def sbml(model: Model, title: str) -> str:
    """The model as SBML Level 3; raises `CommandError` if the extra is not installed."""
    require()
    import antimony
    import libsbml

    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(model.text) < 0:
        raise AssertionError(f"the exported text is not Antimony: {antimony.getLastError()}")
    document = libsbml.readSBMLFromString(antimony.getSBMLString(model.identifier))
    content = document.getModel()
    content.setName(_kept(title))
    paragraphs = "".join(f"<p>{escape(_kept(line), quote=False)}</p>" for line in model.notes)
    content.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</body>')
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.checkConsistency()
    wrong = [
        document.getError(i).getMessage().strip()
        for i in range(document.getNumErrors())
        if document.getError(i).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if wrong:
        raise AssertionError(f"the exported model is not valid SBML: {wrong}")
    return str(libsbml.writeSBMLToString(document))


def _kept(text: str) -> str:
    """A text that libsbml writes as it was meant: of itself it takes "&lt;" for a written "<"."""
    return text.replace("&", "&amp;")
