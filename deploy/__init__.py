"""Configuration of the services beside the bus, as data files; travels inside the wheel."""
