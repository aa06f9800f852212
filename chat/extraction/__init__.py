"""From a file to its text, page by page, in a process of its own: parsers meet hostile files. Knows no Django and no
database; `chat.extracting` starts it and hears what it found."""
