"""Database work from asynchronous code: on threads of its own, so that no socket waits for another one's query."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.db import DatabaseError, close_old_connections

_readers = ThreadPoolExecutor(max_workers=6, thread_name_prefix="database")
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")


def _fresh[T](work: Callable[[], T]) -> T:
    """Long-lived threads keep connections: a dead one is dropped before and after each unit of work."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


def _kept[T](work: Callable[[], T]) -> T:
    """For what comes twenty times a second: its connection is looked at when something went wrong, not before."""
    try:
        return work()
    except DatabaseError:
        close_old_connections()
        raise


async def in_db[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short query function on a reader thread."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_readers, partial(_fresh, partial(function, *args, **kwargs)))


def beside[**P](function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run it on a reader thread, whatever becomes of the loop and the task that want it. It raises nothing."""
    _readers.submit(partial(_fresh, partial(function, *args, **kwargs)))


async def in_writer[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the journal's commit on its one thread: one connection, one transaction at a time."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_writer, partial(_kept, partial(function, *args, **kwargs)))
