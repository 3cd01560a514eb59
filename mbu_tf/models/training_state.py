"""All that training changes of a model, as one list of variables and their values."""

import keras

from mbu_tf.models.learning_rates import LinkedLearningRates
from mbu_tf.models.steering import Steering


def training_variables(model, metrics=True):
    """Every variable that training changes, once, always in the same order.

    Weights, running statistics and seeds, all optimizers, linked rates, steered weights.

    Args:
        model: a Keras model.
        metrics: whether what an epoch has counted so far is wanted as well.
    """
    kinds = (keras.optimizers.Optimizer, LinkedLearningRates, Steering)
    others = [x for x in vars(model).values() if isinstance(x, kinds)]
    groups = [model.variables, model.metrics_variables, *(x.variables for x in others)]
    found = {id(variable): variable for group in groups for variable in group}
    # Keras counts them among the model's own.
    left_out = set() if metrics else set(map(id, model.metrics_variables))
    return [v for x, v in found.items() if x not in left_out]


def as_array(variable):
    """The value of a variable as NumPy's files take it."""
    value = keras.ops.convert_to_numpy(variable)
    # They do not know bfloat16, whose every value float32 holds.
    return value.astype("float32") if value.dtype.kind == "V" else value
