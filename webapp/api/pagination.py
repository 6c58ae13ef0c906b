"""The order of lists, and how much of one is answered at once."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class ByCursor(CursorPagination):
    """A cursor is readable and nobody signs it: what stands in it is checked before the database is asked."""

    page_size_query_param = "page_size"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        self._field = queryset.model._meta.get_field(str(self.ordering).removeprefix("-"))
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                position = self._field.clean(cursor.position, None)
                if isinstance(position, datetime) and position.tzinfo is None:
                    raise ValueError("no time zone")  # untranslated: nobody sees it
            except (ValidationError, ValueError, OverflowError):
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class NewestFirst(ByCursor):
    page_size = 50
    max_page_size = 200
    ordering = "-created_at"


class NewestPublishedFirst(NewestFirst):
    ordering = "-published_at"


class LastFirst(NewestFirst):
    ordering = "-id"


class UploadOrder(ByCursor):
    page_size = 100
    max_page_size = 500
    ordering = "id"


class ByPlace(NewestFirst):
    ordering = "-seq"
