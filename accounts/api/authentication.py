"""Who a request comes from, by its bearer token."""

from rest_framework.authentication import BaseAuthentication


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None

    def authenticate_header(self, request):
        return "Bearer"
