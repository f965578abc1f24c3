"""`python -m bus` is the `bus` command."""

from bus.cli.main import main

if __name__ == "__main__":
    main()
