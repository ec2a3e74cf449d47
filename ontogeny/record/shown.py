"""What shows itself in a notebook. The faces draw it; the package finds them by name, when a notebook asks."""

from __future__ import annotations

import ontogeny


class Shown:
    """Shows itself as a small picture in HTML."""

    def _repr_html_(self) -> str:
        html: str = ontogeny.in_notebook(self)
        return html
