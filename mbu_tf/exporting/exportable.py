"""A model as exporters take it: of sound weights, and computing in float32."""

import keras

from mbu_tf.models.loading import check_sound


def exportable(model):
    """`model` if it computes in float32 throughout, else a copy that does.

    Converters know no mixed precision, and a server's answer should not depend
    on what a model was trained in.

    Raises:
        ValueError: if its weights or its threshold are no finite numbers.
    """
    check_sound(model)
    if all(layer.compute_dtype == "float32" for layer in _layers(model)):
        return model
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        config = {key: value for key, value in model.get_config().items() if key != "dtype"}
        copy = type(model).from_config(config)
    finally:
        keras.config.set_dtype_policy(policy)
    copy.set_weights(model.get_weights())
    return copy


def _layers(layer):
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _layers(inner)
