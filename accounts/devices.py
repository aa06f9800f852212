"""A few words for the browser and the system that a User-Agent header claims; for people to recognise, nothing more."""

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
MOBILE = {"Android", "iOS"}


def describe(user_agent: str) -> str:
    """For example "Firefox on Linux"; "Unknown browser" for a header that says nothing known."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = system_of(user_agent)
    return " on ".join(part for part in (browser, system) if part) or "Unknown browser"


def system_of(user_agent: str) -> str:
    return next((name for mark, name in SYSTEMS if mark in user_agent), "")


def is_mobile(user_agent: str) -> bool:
    return system_of(user_agent) in MOBILE
