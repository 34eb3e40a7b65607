"""`python -m qloom` is `qloom`."""

from qloom.cli import main

if __name__ == "__main__":
    main()
