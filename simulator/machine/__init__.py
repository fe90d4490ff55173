"""The apheresis machine: pumps, separation, bottles and bags, and the session as it runs."""
