"""Ctrl-C and SIGTERM, where work is to end well."""

import contextlib
import signal
import threading


class Interrupted(KeyboardInterrupt):
    """Work was interrupted by a signal and ended well; the message says what is kept.

    Attributes:
        number: of the signal.
    """

    def __init__(self, message, number):
        super().__init__(message)
        self.number = number


@contextlib.contextmanager
def noted_signals(numbers=(signal.SIGINT, signal.SIGTERM)):
    """Within the block, signals are noted and nothing else happens.

    A second signal acts as it did before. In another thread than the main one
    signals are left as they are.

    Yields:
        A list, empty until the number of a signal stands in it.
    """
    noted = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = {number: signal.getsignal(number) for number in numbers}

    def note(number, frame):
        noted.append(number)
        signal.signal(number, before[number])

    for number in numbers:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
