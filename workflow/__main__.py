"""Let ``python -m workflow`` do what the ``holdfast`` command does."""

from workflow.cli import main

if __name__ == "__main__":
    main()
