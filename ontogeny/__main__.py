"""`python -m ontogeny`: the same as `ontogeny`."""

from ontogeny.faces.cli import main

main()
