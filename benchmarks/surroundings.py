"""Make a benchmark independent of its user's machine."""

from tasks.checkout.environment import configure_libraries
from tasks.checkout.variables import set_defaults


def stand_alone() -> None:
    """Silence the libraries, and make pseudonyms with a key that is not secret, unless one is set.

    A benchmark's subjects are not real people, and a fresh machine has no keys.
    """
    configure_libraries()
    set_defaults({"LETHE_PSEUDONYM_KEY": "00" * 32})
