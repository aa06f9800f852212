"""How long a text is for a model, roughly and rather too much than too little; no vendor's tokenizer is asked."""

BYTES_PER_TOKEN = 3.5
# What vendors count for a picture of the size that is sent.
PICTURE = 1_600


def estimate(text: str) -> int:
    """About 3.5 bytes of UTF-8 make a token: more for English, about right for what is written in other letters."""
    return -(-len(text.encode("utf-8", "replace")) * 10 // int(BYTES_PER_TOKEN * 10))
