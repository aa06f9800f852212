"""How API clients prove who they are."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None


class HasWorkspaceAndScope(BasePermission):
    def has_permission(self, request, view):
        return False
