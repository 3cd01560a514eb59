"""The tests of hostile input with new inputs for as long as is said.

    python -m tests.fuzz --minutes 60

Each in turn is given a hundred inputs. What fails is shown, shrunk to little, and the rest
goes on; how many inputs each was given stands at the end. An input that takes five minutes
ends it all with the place where it was, and so does one that the interpreter crashes on.
"""

import argparse
import faulthandler
import importlib
import inspect
import pathlib
import resource
import sys
import tempfile
import time
import traceback

from tests.fuzzing import hypothesis

TESTS = pathlib.Path(__file__).parent
AT_ONCE = 100
HANGS = 300


def fuzzed_tests():
    """`{name: test}` of all files called so."""
    phases = hypothesis.Phase.generate, hypothesis.Phase.shrink
    settings = hypothesis.settings(derandomize=False, max_examples=AT_ONCE, phases=phases)
    hypothesis.settings.register_profile("long", settings)
    hypothesis.settings.load_profile("long")
    sys.path.append(str(TESTS / "export"))  # Whose tests import what lies beside them.
    found = {}
    for path in sorted(TESTS.glob("*/test_fuzzed_*.py")):
        module = importlib.import_module(f"tests.{path.parent.name}.{path.stem}")
        tests = {name: x for name, x in vars(module).items() if name.startswith("test_")}
        found |= {f"{path.parent.name}/{path.stem}::{name}": x for name, x in tests.items()}
    return found


class Counted:
    """Counts the inputs that a test is given."""

    def __init__(self, test):
        self.test, self.inputs, self.failures = test, 0, 0
        inner = test.hypothesis.inner_test
        self._folder = "tmp_path" in inspect.signature(inner).parameters

        def counting(*arguments, **given):
            self.inputs += 1
            faulthandler.dump_traceback_later(HANGS, exit=True)
            try:
                return inner(*arguments, **given)
            finally:
                faulthandler.cancel_dump_traceback_later()

        test.hypothesis.inner_test = counting

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            try:
                self.test(**({"tmp_path": pathlib.Path(folder)} if self._folder else {}))
            except Exception:
                self.failures += 1
                traceback.print_exc()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    end = time.monotonic() + 60 * parser.parse_args().minutes
    faulthandler.enable()
    tests = {name: Counted(test) for name, test in fuzzed_tests().items()}
    while time.monotonic() < end:
        for test in tests.values():
            if time.monotonic() < end:
                test.run()
    for name, test in tests.items():
        print(f"{test.inputs:9,} inputs, {test.failures} failed: {name}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"Memory at the most: {peak:.2f} GB")
    sys.exit(any(test.failures for test in tests.values()))


if __name__ == "__main__":
    main()
