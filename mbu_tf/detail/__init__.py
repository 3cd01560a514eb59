"""What a model paints at its own size, at the size of a photo: pure functions in `keras.ops`.

docs/detail.md states the formula that they make up.
"""
