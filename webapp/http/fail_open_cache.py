from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class FailOpenCache(RedisCache):
    """A cache that is empty while its server is away, instead of failing.

    Work goes on without it, and passwords and codes are still checked. Only rate limits do not hold.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_or_default(super().add, True, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or_default(super().get, default, key, default, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return _or_default(super().get_many, {}, keys, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        _or_default(super().set, None, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(_or_default(super().set_many, [], *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_or_default(super().delete, False, *args, **kwargs))


def _or_default(operation: Any, otherwise: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return operation(*args, **kwargs)
    except RedisError as error:
        log.warning("cache unavailable; rate limits do not hold", error=repr(error))
        return otherwise
