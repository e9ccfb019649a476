"""What a lower app needs of a higher one.

Packages import downwards only (pyproject.toml, import-linter). A lower app that needs a fact of a higher one calls a
hook; the higher app provides the function in its AppConfig.ready(). To add a hook: declare it here with the type of
its function and a docstring, call it where it is needed, and register the provider.

    hook             called by   provided by
    signed_in_user   core        accounts
    users_named      core        accounts
    own_avatar       accounts    uploads
    image_uses       uploads     designs
    erasers          accounts    uploads
    exporters        accounts    core, accounts, uploads, designs
    gauges           core        core, accounts, uploads, designs, gallery_project
    newest_backup    core        operations
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, Model, QuerySet
from django.http import HttpRequest

F = TypeVar("F")


class Hook(Generic[F]):
    """A function that exactly one app provides."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.function: F | None = None

    def provide(self, function: F) -> None:
        """Make `function` the hook's. Raises ValueError if another function is already."""
        if self.function not in (None, function):
            raise ValueError(f"The hook {self.name} has a function already.")
        self.function = function

    @property
    def call(self) -> F:
        """The function. Raises LookupError if no installed app provides it."""
        if self.function is None:
            raise LookupError(f"No app in INSTALLED_APPS provides the hook {self.name}.")
        return self.function


class MultiHook(Generic[F]):
    """A function that any number of apps provide."""

    def __init__(self) -> None:
        self.functions: list[F] = []

    def provide(self, function: F) -> None:
        """Add a function. One that is there already is not added twice."""
        if function not in self.functions:
            self.functions.append(function)

    def __iter__(self) -> Iterator[F]:
        return iter(self.functions)


# signed_in_user(request): the id of the user whose access token the request carries; None without a good one. Asks no
# database, so the session may have ended.
signed_in_user: Hook[Callable[[HttpRequest], int | None]] = Hook("signed_in_user")

# users_named(name): the user of that name, or none, in whichever form it is written.
users_named: Hook[Callable[[str], QuerySet[Any]]] = Hook("users_named")

# own_avatar(user, object_key): the stored image of category avatars with that key, if this user uploaded it.
own_avatar: Hook[Callable[[AbstractBaseUser, str], QuerySet[Model]]] = Hook("own_avatar")

# image_uses(): (category, condition) pairs. An image of the category is in use if one of its conditions holds, which
# refer to the image by OuterRef("object_key").
image_uses: MultiHook[Callable[[], tuple[str, Exists]]] = MultiHook()

# erasers(user): reads what the app keeps of a user who is about to be deleted, and returns what deletes it inside the
# transaction. What a foreign key to the user deletes needs none.
erasers: MultiHook[Callable[[AbstractBaseUser], Callable[[], None]]] = MultiHook()

# exporters(user, absolute): what the app keeps about a user, as questions by the name of their section. DRF renders
# their answers as JSON. `absolute` makes an absolute URL of one of this server.
Exporter = Callable[[AbstractBaseUser, Callable[[str], str]], Mapping[str, Callable[[], Any]]]
exporters: MultiHook[Exporter] = MultiHook()

# gauges(): sets the gauges of the app that are read when somebody asks for the metrics (core.metrics.gauges). It must
# not ask D1, nor anything else that somebody would wait for.
gauges: MultiHook[Callable[[], None]] = MultiHook()

# newest_backup(): when the last backup was taken (time.time()), 0 if there is none; None where nothing says where
# backups are stored. It may take long: nobody waits for it.
newest_backup: Hook[Callable[[], float | None]] = Hook("newest_backup")
