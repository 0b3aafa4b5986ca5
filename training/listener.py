"""What everybody wrote where a model learns, by which it is known again word for word."""

from array import array

import numpy as np

from likeness.quotes import OthersWords, runs


class Listener:
    """Takes messages, and keeps eight bytes of each eight words in a row."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._said = {False: array("Q"), True: array("Q")}

    def hear(self, text: str, *, mine: bool) -> None:
        """Take a message."""
        self._said[mine].extend(runs(text))

    def others_words(self) -> OthersWords:
        """Return what others wrote and I did not."""
        others, mine = (np.frombuffer(self._said[whose], np.uint64) for whose in (False, True))
        return OthersWords(array("Q", np.setdiff1d(others, mine).tobytes()))
