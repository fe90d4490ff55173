"""``python -m simulator.cli`` is ``apheresis``."""

from simulator.cli import main

if __name__ == "__main__":
    main()
