"""What a lower app asks of a higher one (core.hooks)."""

import pytest

from core.hooks import Hook, MultiHook


def test_a_hook_calls_the_function_that_an_app_provides():
    hook = Hook("double")
    hook.provide(lambda number: 2 * number)
    assert hook.call(3) == 6


def test_a_hook_without_a_provider_is_named():
    with pytest.raises(LookupError, match="provides the hook double"):
        Hook("double").call  # noqa: B018  the property raises


def test_a_second_provider_is_rejected_and_the_same_one_is_not():
    hook = Hook("size")
    hook.provide(len)
    hook.provide(len)
    with pytest.raises(ValueError, match="size"):
        hook.provide(sum)


def test_many_apps_may_provide_a_multi_hook():
    hook = MultiHook()
    for function in (len, sum, len):
        hook.provide(function)
    assert list(hook) == [len, sum]
