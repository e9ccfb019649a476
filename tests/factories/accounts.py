"""Users in each state, and sign-ins."""

from datetime import UTC, datetime, timedelta

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import EDITORS, SignIn, User

PASSWORD = "six yards of silk"


class UserFactory(factory.django.DjangoModelFactory):
    """An approved user whose password is PASSWORD; `admin`, `editor`, `pending` and `rejected` make the others."""

    class Meta:
        model = User

    class Params:
        admin = factory.Trait(is_admin=True)
        pending = factory.Trait(is_approved=False, reviewed_at=None)
        rejected = factory.Trait(is_approved=False, rejection_reason="Unknown to us")

    username = factory.Sequence(lambda number: f"weaver{number}")
    is_approved = True
    reviewed_at = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    @classmethod
    def _create(cls, model_class, *args, password=PASSWORD, editor=False, **kwargs):
        user = model_class.objects.create(*args, password=make_password(password), **kwargs)
        if editor:
            user.groups.add(Group.objects.get(name=EDITORS))
        return user


class SignInFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SignIn

    user = factory.SubFactory(UserFactory)
    refresh_id = factory.Sequence(lambda number: f"refresh{number}")
    user_agent = "Gallery/1.0 (Android 16)"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
