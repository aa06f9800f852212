"""Why a file cannot be read: a stable word for each reason, and what its owner can do about it."""

SENTENCES = {
    "damaged": "It is damaged, or not what it seems. Open it, save it again and attach the copy.",
    "encrypted": "It is protected by a password. Save a copy without one.",
    "empty": "There is nothing in it.",
    "too_many_pages": "It has more pages than can be read. Split it.",
    "too_much_text": "It holds more text than can be read. Split it.",
    "too_slow": "Reading it took too long. Split it, or save it in another format.",
    "too_much_memory": "Reading it took too much memory. Split it, or save it in another format.",
    "unpacks_too_large": "It unpacks to far more than its size. Save it again without embedded files.",
    "image_too_large": "The picture has too many pixels. Make it smaller.",
    "forbidden_content": "It defines XML entities, which no office program writes. Save it again.",
    "lost": "Reading it was interrupted more than once. Remove it and attach it again.",
}


class Refused(Exception):
    """The file cannot be read; `code` is one of SENTENCES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def sentence(self) -> str:
        return SENTENCES[self.code]
