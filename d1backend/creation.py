"""Test databases: made through the API for the tests and deleted after them. No other database is touched."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.creation import TEST_DATABASE_PREFIX, BaseDatabaseCreation
from django.db.utils import Error, OperationalError

from d1backend import clone, errors
from d1backend.options import Settings, settings_of
from d1backend.protocol.api import Api

# The ids of the test databases by base URL, account and name. Threads share them, forked workers inherit them.
_ids: dict[tuple[str, str, str], str] = {}


def id_of(settings: Settings, name: str) -> str:
    """The id behind NAME: NAME itself, except that for a test database Django puts its name there."""
    return _ids.get((settings.base_url, settings.account_id, name), name)


def is_made_by_tests(settings: Settings, name: str) -> bool:
    """Whether NAME is that of a test database of this process."""
    return (settings.base_url, settings.account_id, name) in _ids


class DatabaseCreation(BaseDatabaseCreation):
    """Makes and deletes D1 databases. Each test run has a database name of its own, except with --keepdb."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        self._keepdb = False
        self._name: str | None = None

    def _settings(self) -> Settings:
        return settings_of(self.connection.alias, self.connection.settings_dict)

    @contextmanager
    def _api(self) -> Iterator[Api]:
        api = Api(self._settings())
        try:
            yield api
        except (errors.Error, Error) as error:
            raise OperationalError(f"Tests need a database of their own through D1's API: {error}") from error
        finally:
            api.close()

    def _key(self, name: str) -> tuple[str, str, str]:
        settings = self._settings()
        return settings.base_url, settings.account_id, name

    def _base_name(self) -> str:
        settings = self.connection.settings_dict
        return settings["TEST"]["NAME"] or f"{TEST_DATABASE_PREFIX}{settings['NAME']}"

    def _get_test_db_name(self) -> str:
        if self._name is None:
            self._name = self._base_name() if self._keepdb else f"{self._base_name()}_{uuid.uuid4().hex[:8]}"
        return self._name

    def test_db_signature(self) -> tuple[str, str, str, str]:
        return "d1backend", *self._key(self._base_name())

    def create_test_db(  # type: ignore[override]
        self, verbosity: int = 1, autoclobber: bool = False, serialize: bool = True, keepdb: bool = False
    ) -> str:
        self._keepdb, self._name = keepdb, None
        return super().create_test_db(verbosity, autoclobber, serialize, keepdb)

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name = self._get_test_db_name()
        self._make(name, keepdb=keepdb)
        return name

    def _make(self, name: str, *, keepdb: bool) -> str:
        with self._api() as api:
            found = api.find(name) if keepdb else None
            _ids[self._key(name)] = made = found or api.create(name)
        return made

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        made = _ids.pop(self._key(test_database_name), None)
        if made is None:
            self.log(f"The database {test_database_name} was not made by these tests and is left as it is.")
            return
        with self._api() as api:
            api.delete(made)

    def get_test_db_clone_settings(self, suffix: str) -> dict[str, Any]:
        settings = self.connection.settings_dict
        return {**settings, "NAME": f"{settings['NAME']}_{suffix}"}

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        settings = self._settings()
        source = id_of(settings, self.connection.settings_dict["NAME"])
        target = self._make(self.get_test_db_clone_settings(suffix)["NAME"], keepdb=keepdb)
        if not keepdb:
            with self._api() as api:
                clone.copy(api, source, target)

    def setup_worker_connection(self, _worker_id: int) -> None:
        """Point a worker of the parallel runner at its clone."""
        clone_settings = self.get_test_db_clone_settings(str(_worker_id))
        name = clone_settings["NAME"]
        if self._key(name) not in _ids:
            with self._api() as api:
                _ids[self._key(name)] = api.find(name) or name
        self.connection.settings_dict.update(clone_settings)
        self.connection.close()

    def log(self, msg: str) -> None:
        sys.stderr.write(msg + "\n")
