"""What a benchmark needs of the machine that it runs on: nothing of its user's."""

from tasks.checkout.environment import configure_libraries
from tasks.checkout.variables import set_defaults


def stand_alone() -> None:
    """Silence the libraries, and make pseudonyms with a key that is no secret, unless one is set.

    Nobody is behind the subjects of a benchmark, and a fresh machine has no keys.
    """
    configure_libraries()
    set_defaults({"LETHE_PSEUDONYM_KEY": "00" * 32})
