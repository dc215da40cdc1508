"""``python -m etlml.cli``: the same as the command ``etlml``."""

from etlml.cli import main

main()
