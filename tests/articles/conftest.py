"""The article tests run on both of the register's databases, as the register's own tests do."""

from tests.unit.register.conftest import postgres_engine, register, register_database

__all__ = ["postgres_engine", "register", "register_database"]
