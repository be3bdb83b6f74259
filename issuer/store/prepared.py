"""Statements of the hot paths: compiled once per database kind, then run on the driver's own cursor.

What SQLAlchemy does around each execution costs several times the execution itself on SQLite. The statements are still written
in its language, so they are as portable as the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement

_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """`names`: the parameters in the order of their places, None where the driver takes them by name. `constants`: those given in
    the statement itself. `to_database`, `to_python`: conversions of the types that need one, by parameter and by column."""

    sql: str
    names: tuple[str, ...] | None
    constants: Mapping[str, Any]
    to_database: Mapping[str, _Convert]
    to_python: tuple[tuple[int, _Convert], ...]


class Prepared:
    """A statement with `bindparam`s for what changes; `IN` lists of changing length are not supported."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, **values: Any) -> int:
        """Execute; gives the number of rows changed. Raises what SQLAlchemy raises for errors of the database.

        As with every other statement, a transaction is begun where none is; only `one` reads without.
        """
        compiled = self._changing(connection)
        return int(execute(connection, compiled.sql, self._parameters(compiled, values)).rowcount)

    def attempt(self, connection: Connection, **values: Any) -> bool:
        """Execute; False, with nothing changed, when a constraint forbids it: how a one-time claim learns that it lost."""
        self._changing(connection)
        execute(connection, "SAVEPOINT attempt")  # some databases end the whole transaction otherwise
        try:
            self.run(connection, **values)
        except IntegrityError:
            execute(connection, "ROLLBACK TO SAVEPOINT attempt")
            return False
        finally:
            execute(connection, "RELEASE SAVEPOINT attempt")
        return True

    def run_each(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once per row."""
        compiled = self._changing(connection)
        execute_each(connection, compiled.sql, [self._parameters(compiled, row) for row in rows])

    def one(self, connection: Connection, **values: Any) -> Sequence[Any] | None:
        """The first row, columns in the order of the select; None when there is none."""
        compiled = self._for(connection.dialect)
        row = execute(connection, compiled.sql, self._parameters(compiled, values)).fetchone()
        if row is None or not compiled.to_python:
            return None if row is None else tuple(row)
        columns = list(row)
        for place, convert in compiled.to_python:
            columns[place] = convert(columns[place])
        return columns

    def _changing(self, connection: Connection) -> _Compiled:
        if not connection.in_transaction():
            connection.begin()
        return self._for(connection.dialect)

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return found

    @staticmethod
    def _parameters(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        if not compiled.to_database and not compiled.constants and compiled.names is not None:
            return [values[name] for name in compiled.names]
        given = {**compiled.constants, **values}
        if compiled.to_database:
            given = {n: compiled.to_database[n](v) if n in compiled.to_database else v for n, v in given.items()}
        return given if compiled.names is None else [given[name] for name in compiled.names]


def _compile(statement: Executable, dialect: Dialect) -> _Compiled:
    assert isinstance(statement, ClauseElement)
    compiled: Any = statement.compile(dialect=dialect)
    converters = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for bind, name in compiled.bind_names.items()}
    columns = getattr(statement, "selected_columns", None) or ()
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Compiled(
        sql=compiled.string,
        names=None if compiled.positiontup is None else tuple(compiled.positiontup),
        constants={name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required},
        to_database={name: convert for name, convert in converters.items() if convert is not None},
        to_python=tuple((place, convert) for place, convert in enumerate(readers) if convert is not None),
    )


def execute(connection: Connection, sql: str, parameters: Any = ()) -> Any:
    """Run SQL of the driver's own dialect in the connection's transaction; gives the driver's cursor.

    Errors of the database come as SQLAlchemy's, without the parameters, which are about persons.
    """
    cursor: Any = _driver(connection).cursor()
    try:
        cursor.execute(sql, parameters)
    except connection.dialect.loaded_dbapi.Error as exc:
        raise _translated(connection, sql, exc) from exc
    return cursor


def execute_each(connection: Connection, sql: str, rows: Sequence[Any]) -> None:
    """`execute` once per row."""
    cursor: Any = _driver(connection).cursor()
    try:
        cursor.executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as exc:
        raise _translated(connection, sql, exc) from exc


def _driver(connection: Connection) -> Any:
    """The driver's connection itself: the pool's wrapper makes a cursor twice as dear."""
    return connection.connection.dbapi_connection


def _translated(connection: Connection, sql: str, error: Exception) -> BaseException:
    base = connection.dialect.loaded_dbapi.Error
    return DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=connection.dialect)
