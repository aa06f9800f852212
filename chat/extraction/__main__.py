"""`python -m chat.extraction KIND FOLDER LIMITS < file`: says what it finds on standard output, and ends.

What a parser raises that is not foreseen ends the process: whoever started it calls the file damaged.
"""

import os
import sys
from pathlib import Path

from chat.extraction import pdf, pictures, plain, sheets, slides, word
from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import say

OUT_OF_MEMORY = 3
READERS = {
    "pdf": pdf.extract,
    "text": plain.extract,
    "docx": word.extract,
    "xlsx": sheets.extract,
    "pptx": slides.extract,
}


def main(kind: str, folder: Path, limits: Limits) -> int:
    limits.hold()
    try:
        if kind == "image":
            pictures.extract(sys.stdin.buffer, limits, folder)
        else:
            READERS[kind](sys.stdin.buffer, limits)
    except Refused as refused:
        say(failed=refused.code)
    except MemoryError:
        return OUT_OF_MEMORY
    else:
        say(done=True)
    return 0


if __name__ == "__main__":
    ended = main(sys.argv[1], Path(sys.argv[2]), Limits.load(sys.argv[3]))
    sys.stdout.flush()
    # What a parser left behind need not be tidied up, and cannot fail any more.
    os._exit(ended)
