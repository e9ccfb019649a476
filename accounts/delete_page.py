"""The web page by which people delete their account without the app, which the app stores ask for.

Nobody is signed in: the form has the username and the password, so it also serves accounts that wait for approval or
were declined. It works without JavaScript.
"""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import deletion
from core import limits
from core.api.errors import error_headers, status_of
from core.client_address import client_address, network_of
from core.errors import Forbidden, GalleryError
from core.limits import Allowance, Limit

WRONG = "The username or the password is wrong."
UNCONFIRMED = "Tick the box to confirm that your account is to be deleted."


class DeleteForm(forms.Form):
    username = forms.CharField(
        max_length=150,
        error_messages={"required": "Enter your username.", "max_length": WRONG},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        max_length=1000,
        strip=False,
        error_messages={"required": "Enter your password.", "max_length": WRONG},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    confirmed = forms.BooleanField(
        label="I understand that this cannot be undone.", error_messages={"required": UNCONFIRMED}
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(no_store=True)
def delete_page(request: HttpRequest) -> HttpResponse:
    """Explain, ask for username, password and a confirmation, and delete the account."""
    if request.method != "POST":
        return render(request, "account/delete.html", {"form": DeleteForm()})
    form = DeleteForm(request.POST)
    try:
        network = network_of(client_address(request))
        limits.take(Allowance(Limit.of("SIGN_IN_REQUESTS"), f"address {network}"))
        if not form.is_valid():
            return render(request, "account/delete.html", {"form": form}, status=400)
        sent = form.cleaned_data
        deletion.account_delete(sent["username"], sent["password"], address=client_address(request))
    except GalleryError as error:
        form.add_error(None, WRONG if isinstance(error, Forbidden) else error.message)
        status = status_of(error)
        page = render(request, "account/delete.html", {"form": form}, status=status)
        for name, value in error_headers(status, error.retry_after).items():
            page[name] = value
        return page
    return render(request, "account/deleted.html")
