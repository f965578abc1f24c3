"""Reading of java.util.Properties files as far as ours go, for tests that compare them."""


def parse_properties(text: str) -> dict[str, str]:
    """Key and value of each line; a later one wins, backslash escapes are resolved."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", "!")):
            key, _, value = line.partition("=")
            found[key.strip()] = value.strip().encode("ascii", "backslashreplace").decode("unicode_escape")
    return found
