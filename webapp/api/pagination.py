"""The order of lists, and how much of one is answered at once."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-created_at"


class NewestPublishedFirst(NewestFirst):
    ordering = "-published_at"


class UploadOrder(CursorPagination):
    page_size = 100
    max_page_size = 500
    page_size_query_param = "page_size"
    ordering = "id"
