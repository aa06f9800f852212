"""How coroutines of this floor, and of the catalog, reach the database: in a thread, over a connection that lives."""

from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import close_old_connections, transaction


async def in_database[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a synchronous `function` without holding up the loop.

    Loops in the background have no request around them that would drop a connection which the database has closed
    meanwhile, so this does; inside a transaction there is nothing to drop.
    """

    def run() -> T:
        if transaction.get_connection().in_atomic_block:
            return function(*args, **kwargs)
        close_old_connections()
        return function(*args, **kwargs)

    result: T = await sync_to_async(run)()
    return result
