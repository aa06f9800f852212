"""The conventions of the API: pages, problems."""

from rest_framework.pagination import CursorPagination
from rest_framework.views import exception_handler as problem_handler

__all__ = ["Pages", "problem_handler"]


class Pages(CursorPagination):
    page_size = 50
    ordering = "-created_at"
