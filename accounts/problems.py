"""A request that cannot be served, with a typed code; doors turn it into a page, a frame or problem+json."""

from typing import Any


class Problem(Exception):
    """`code` is a stable word, `title` a short sentence, `detail` what to do; `extra` goes into the body as is.

    `page` names the page where a person puts it right; browsers are led there.
    """

    def __init__(self, status: int, code: str, title: str, detail: str = "", *, page: str = "", **extra: Any) -> None:
        super().__init__(f"{code}: {title}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.page = page
        self.extra = extra


def not_found() -> Problem:
    """The one answer for what does not exist and for what is somebody else's."""
    return Problem(404, "not_found", "There is nothing here.", "It does not exist, or it is not yours.")
