"""Checkpoints of the published MBU code as dicts of NumPy arrays: what fits, what does not."""

import copy
import functools
import sys

import keras
import numpy as np
import pytest

from mbu_tf.interop import load_published, published, save_published
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from tests.interop import checkpoints
from tests.interop.checkpoints import SMALL, assert_same, random_checkpoint

BATCH_NORMS = 22
compiled = functools.partial(checkpoints.compiled, MaskedContentTransfer)


@pytest.fixture(scope="module")
def template():
    return random_checkpoint(MaskedContentTransfer)


@pytest.fixture
def checkpoint(template):
    return copy.deepcopy(template)


@pytest.fixture(scope="module")
def untouched():
    """A model that nothing is ever restored to."""
    return compiled()


def test_there_and_back_is_bit_identical(checkpoint, tmp_path):
    model = published.new_model(checkpoint)
    published.restore(model, checkpoint)
    assert_same(published.to_checkpoint(model), checkpoint)
    model.save(tmp_path / "model.keras")
    assert_same(published.to_checkpoint(load_model(tmp_path / "model.keras")), checkpoint)


def test_sizes_and_optimizers_come_from_the_checkpoint(checkpoint):
    checkpoint["ae_opt"]["param_groups"][0]["lr"] = 3e-5
    checkpoint["disc_opt"]["param_groups"][0]["eps"] = 1e-6
    model = published.new_model(checkpoint, preset="smile")
    assert {k: model.get_config()[k] for k in SMALL} == SMALL
    assert float(model.optimizer.learning_rate) == 3e-5
    assert model.discriminator_optimizer.epsilon == 1e-6
    assert model.loss_weights["recon2_a"] == 1.0  # Of "smile".
    assert (model.generator_clip_norm, model.discriminator_codes) == (5.0, "updated")
    assert model.get_config()["share_passes"] is False


def test_every_tensor_is_in_its_place(checkpoint):
    model = published.new_model(checkpoint)
    published.restore(model, checkpoint)
    layer = model.separate_encoder.get_layer("block_2_conv")
    kernel = checkpoint["e2"]["full.3.weight"]
    np.testing.assert_array_equal(layer.kernel[1, 2, 0, 1], kernel[1, 0, 1, 2])
    layer = model.decoder_b.get_layer("block_6_deconv")
    kernel = checkpoint["d_b"]["main.15.weight"]
    np.testing.assert_array_equal(layer.kernel[1, 2, 3, 0], kernel[0, 3, 1, 2])
    norm = model.decoder_a.get_layer("block_5_norm")
    for ours, theirs in (
        ("gamma", "weight"),
        ("beta", "bias"),
        ("moving_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ):
        np.testing.assert_array_equal(getattr(norm, ours), checkpoint["d_a"][f"main.13.{theirs}"])
    # A code map of 2x2, 29 channels, flattened pixel by pixel and channel by channel.
    code = np.random.default_rng(0).normal(size=(1, 2, 2, 29)).astype("float32")
    dense = checkpoint["disc"]["classify.0.weight"] @ code.transpose(0, 3, 1, 2).ravel()
    hidden = model.discriminator.get_layer("hidden")(code.reshape(1, -1))
    bias = checkpoint["disc"]["classify.0.bias"]
    np.testing.assert_allclose(hidden[0], dense + bias, rtol=1e-4, atol=1e-5)
    assert model.optimizer.iterations == model.discriminator_optimizer.iterations == 7
    first = model.optimizer._get_variable_index(model.common_encoder.layers[1].kernel)
    np.testing.assert_array_equal(
        model.optimizer._velocities[first],
        checkpoint["ae_opt"]["state"][0]["exp_avg_sq"].transpose(2, 3, 1, 0),
    )


def test_counts_go_on_as_the_published_code_counts(checkpoint):
    model = published.new_model(checkpoint)
    published.restore(model, checkpoint)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 2, 128, 128, 3)).astype("float32")
    for _ in range(2):
        model.train_step(tuple(images))
    after = published.to_checkpoint(model)
    assert after["iters"] == 123_456 + 2
    assert after["disc_opt"]["state"][0]["step"] == 9
    counts = 0
    for module, passes in (("e1", 5), ("e2", 2), ("d_a", 2), ("d_b", 4)):
        for name, count in checkpoint[module].items():
            if name.endswith("num_batches_tracked"):
                assert after[module][name] == count + 2 * passes
                counts += 1
    assert counts == BATCH_NORMS


def test_a_new_model_has_no_optimizer_state(tmp_path):
    checkpoint = published.to_checkpoint(compiled())
    assert checkpoint["iters"] == 0 and checkpoint["e1"]["full.1.num_batches_tracked"] == 0
    assert checkpoint["ae_opt"]["state"] == checkpoint["disc_opt"]["state"] == {}
    model = compiled()
    model.optimizer.iterations.assign(3)
    model.optimizer._momentums[0].assign(model.optimizer._momentums[0] + 1.0)
    published.restore(model, checkpoint)
    assert model.optimizer.iterations == 0 and not np.any(model.optimizer._momentums[0])


def test_the_older_names(checkpoint):
    old = {**checkpoint, "decoder": checkpoint.pop("d_a"), "mustacher": checkpoint.pop("d_b")}
    del old["d_a"], old["d_b"]
    model = published.new_model(old)
    published.restore(model, old)
    again = published.to_checkpoint(model)
    assert_same(again["d_a"], old["decoder"])
    assert_same(again["d_b"], old["mustacher"])


def test_parameters_may_have_any_numbers(checkpoint):
    """Old PyTorch numbers parameters by their addresses and counts steps in plain integers."""
    expected = copy.deepcopy(checkpoint)
    part = checkpoint["ae_opt"]
    group = part["param_groups"][0]
    group["params"] = [10**6 - 7 * n for n in group["params"]]
    part["state"] = {
        10**6 - 7 * n: {**fields, "step": 7} for n, fields in reversed(part["state"].items())
    }
    model = published.new_model(checkpoint)
    published.restore(model, checkpoint)
    assert_same(published.to_checkpoint(model), expected)


def test_old_pytorch_did_not_count_batches(checkpoint):
    expected = copy.deepcopy(checkpoint)
    for module in ("e1", "e2", "d_a", "d_b"):
        for name in [x for x in checkpoint[module] if x.endswith("num_batches_tracked")]:
            del checkpoint[module][name]
            expected[module][name] = np.zeros((), np.int64)
    model = published.new_model(checkpoint)
    published.restore(model, checkpoint)
    assert_same(published.to_checkpoint(model), expected)


def test_into_a_given_model_its_own_way_of_training_stands(checkpoint):
    model = compiled()
    model.compile(keras.optimizers.Adam(0.5), keras.optimizers.Adam(0.25))
    published.restore(model, checkpoint)
    assert type(model.optimizer) is keras.optimizers.Adam
    assert model.optimizer.learning_rate == 0.5 and model.optimizer.iterations == 7
    assert_same(published.to_checkpoint(model)["ae_opt"]["state"], checkpoint["ae_opt"]["state"])


def test_the_optimizers_of_a_float16_model_are_found_in_their_loss_scaling(checkpoint):
    model = compiled("mixed_float16")
    published.restore(model, checkpoint)
    assert model.optimizer.inner_optimizer.iterations == 7
    assert_same(published.to_checkpoint(model)["e1"], checkpoint["e1"])


def test_float32_fits_a_float64_model_and_not_the_reverse(checkpoint, untouched):
    model = compiled("float64")
    published.restore(model, checkpoint)
    wide = published.to_checkpoint(model)
    assert wide["e1"]["full.0.weight"].dtype == np.float64
    np.testing.assert_array_equal(wide["e1"]["full.0.weight"], checkpoint["e1"]["full.0.weight"])
    message = "e1.full.0.weight: dtype float64, which float32 does not hold"
    with pytest.raises(ValueError, match=message):
        published.restore(untouched, wide)


def test_missing_surplus_and_misshapen_tensors_are_listed_together(checkpoint, untouched):
    before = untouched.get_weights()
    del checkpoint["e1"]["full.4.running_var"], checkpoint["disc"]["classify.2.bias"]
    del checkpoint["ae_opt"]["state"][0]["step"], checkpoint["disc_opt"]["state"][3]
    checkpoint["e2"]["full.18.weight"] = checkpoint["e2"].pop("full.15.weight")
    checkpoint["d_a"]["main.15.weight"] = np.zeros((1, 4, 4, 4), np.float32)
    checkpoint["d_b"]["main.0.bias"] = np.zeros(32, np.int64)
    checkpoint["ae_opt"]["state"][1]["max_exp_avg_sq"] = np.zeros(1, np.float32)
    checkpoint["ae_opt"]["state"][999] = {"step": np.float32(7)}
    with pytest.raises(ValueError) as error:
        published.restore(untouched, checkpoint)
    assert str(error.value).splitlines() == [
        "The checkpoint does not fit:",
        "  missing: e1.full.4.running_var",
        "  missing: e2.full.15.weight",
        "  missing: disc.classify.2.bias",
        "  missing: ae_opt.e1.full.0.weight.step",
        "  missing: disc_opt.disc.classify.2.bias.step",
        "  missing: disc_opt.disc.classify.2.bias.exp_avg",
        "  missing: disc_opt.disc.classify.2.bias.exp_avg_sq",
        "  surplus: e2.full.18.weight",
        "  surplus: ae_opt.e1.full.0.bias.max_exp_avg_sq",
        "  surplus: ae_opt.999.step",
        "  d_a.main.15.weight: shape (1, 4, 4, 4) in place of (2, 3, 4, 4)",
        "  d_b.main.0.bias: dtype int64, which float32 does not hold",
    ]
    for old, new in zip(before, untouched.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "arguments,listed",
    [
        (
            {"separate_channels": 2},
            ("e1.full.12.weight", "e2.full.15.weight", "ae_opt.e2.full.16.bias.exp_avg"),
        ),
        (
            {"image_size": 192},
            ("disc.classify.0.weight", "disc_opt.disc.classify.0.weight.exp_avg"),
        ),
        ({"width": 1 / 8}, ("e1.full.0.weight", "d_b.main.0.weight", "disc.classify.2.weight")),
    ],
)
def test_another_sep_size_or_width_is_listed(checkpoint, arguments, listed):
    with pytest.raises(ValueError, match="does not fit") as error:
        published.restore(compiled(**arguments), checkpoint)
    for name in listed:
        assert f"  {name}: shape (" in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["disc"].update({"classify.0.weight": np.zeros((8, 21), np.float32)}),
        lambda c: c["e2"].update({"full.15.weight": np.zeros((9, 2, 4, 4), np.float32)}),
        lambda c: c["d_a"].update({"main.0.weight": np.zeros((), np.float32)}),
        lambda c: c["e2"].pop("full.15.weight"),
        lambda c: c["e1"].update({"full.0.weight": None}),
    ],
)
def test_impossible_shapes_are_listed_too(checkpoint, change):
    change(checkpoint)
    with pytest.raises(ValueError, match="does not fit:"):
        published.restore(published.new_model(checkpoint), checkpoint)


def set_option(key, name, value):
    return lambda c: c[key]["param_groups"][0].update({name: value})


@pytest.mark.parametrize(
    "change,message",
    [
        (
            lambda c: c.pop("disc"),
            r"This is no checkpoint of a published code.*MBU.*\['disc'\] missing, \[\] surplus",
        ),
        (lambda c: c.update(decoder={}), r"\[\] missing, \['decoder'\] surplus"),
        (lambda c: c.update(e1=[]), r"Received: \['e1'\] of another kind"),
        (lambda c: c.update(iters=1.5), r"Received: \['iters'\] of another kind"),
        (lambda c: c.update(ae_opt={}), "has no Adam with one group of parameters in 'ae_opt'"),
        (lambda c: c.update(disc_opt=3), "has no Adam with one group of parameters in 'disc_opt'"),
        (lambda c: c["ae_opt"]["param_groups"].append({}), "one group of parameters in 'ae_opt'"),
        (lambda c: c["ae_opt"]["state"].update({0: 1}), "one group of parameters in 'ae_opt'"),
        (set_option("ae_opt", "weight_decay", 0.1), "'ae_opt' is not plain: weight_decay=0.1"),
        (set_option("disc_opt", "amsgrad", True), "'disc_opt' is not plain: amsgrad=True"),
        (
            lambda c: c["ae_opt"]["state"][2].update(step=np.float32(8)),
            r"'ae_opt' made different numbers of steps: \[7.0, 8.0\]",
        ),
    ],
)
def test_what_is_no_checkpoint_of_the_published_code(checkpoint, untouched, change, message):
    change(checkpoint)
    with pytest.raises(ValueError, match=message):
        published.restore(untouched, checkpoint)


def test_a_model_without_numbers_is_not_written(tmp_path):
    model = compiled()
    bias = model.discriminator.weights[-1]
    bias.assign(np.nan * bias)
    with pytest.raises(ValueError, match="has weights that are no finite numbers"):
        save_published(model, tmp_path / "checkpoint")
    assert not list(tmp_path.iterdir())


def test_a_bare_tensor_is_no_checkpoint():
    with pytest.raises(ValueError, match="is no checkpoint of a published code.*Received: ndarray"):
        published.new_model(np.zeros(3))


@pytest.mark.parametrize(
    "arguments,received",
    [
        ({"image_size": 64, "depth": 5}, "depth=5"),
        ({"decoder_activation": "relu"}, "decoder_activation='relu'"),
        ({"normalization": "instance"}, "normalization='instance'"),
        ({"decoder_a_input": "common"}, "decoder_a_input='common'"),
        ({"common_channels": 4}, "common_channels=4"),
    ],
)
def test_networks_that_the_published_code_lacks(checkpoint, arguments, received):
    model = compiled(**arguments)
    for act in (
        lambda: published.to_checkpoint(model),
        lambda: published.restore(model, checkpoint),
    ):
        with pytest.raises(ValueError, match=f"are not those of the published code.*{received}"):
            act()


def test_optimizers_that_the_published_code_lacks():
    model = MaskedContentTransfer(**SMALL)
    with pytest.raises(ValueError, match="must be compiled"):
        published.to_checkpoint(model)
    adam = keras.optimizers.Adam
    for other in (keras.optimizers.SGD(), keras.optimizers.AdamW(), adam(amsgrad=True)):
        model.compile(adam(), other)
        with pytest.raises(ValueError, match="compiled with Adam, without weight decay"):
            published.to_checkpoint(model)


def test_without_pytorch_the_error_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for act in (
        lambda: load_published(tmp_path / "checkpoint"),
        lambda: save_published(compiled(), tmp_path / "checkpoint"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'mbu_tf\[torch\]'"):
            act()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("e1", "full.0.weight"), "nan", "e1.full.0.weight: some of its numbers are not finite"),
        (("e1", "full.4.running_var"), "negative", "running_var: some of its numbers are negative"),
        (("ae_opt", "param_groups", 0, "betas"), (0.5, 1.5), r"Received: betas=\(0.5, 1.5\)"),
        (("ae_opt", "param_groups", 0, "betas"), "ab", "Received: betas='ab'"),
        (("ae_opt", "param_groups", 0, "betas"), (0.5,), "Received: betas="),
        (("ae_opt", "param_groups", 0, "lr"), float("nan"), "Received: lr=nan"),
        (("ae_opt", "param_groups", 0, "lr"), [1], "Received: lr="),
        (("disc_opt", "param_groups", 0, "eps"), -1e-8, "'disc_opt'.*Received: eps=-1e-08"),
        (("disc_opt",), np.zeros(()), "no Adam with one group"),
        (("disc_opt", "param_groups"), [[]], "no Adam with one group"),
        (("disc_opt", "param_groups", 0, "params"), 3, "no Adam with one group"),
        (("disc_opt", "param_groups", 0, "params"), [[]], "no Adam with one group"),
        (("disc_opt", "state", 0), 3, "no Adam with one group"),
        (("disc_opt", "state", 0, "exp_avg"), [[0]], "no Adam with one group"),
        (("disc_opt", "state", 0, "step"), np.float32(-1), "made no number of steps: .*-1"),
        (("disc_opt", "state", 0, "step"), np.float32("nan"), "step: some of its numbers"),
        (("e2",), [1], r"Received: \['e2'\] of another kind"),
        (("e2", "full.0.weight"), [[1]], r"Received: \['e2'\] of another kind"),
        (("iters",), -1, r"Received: \['iters'\] of another kind"),
        (("iters",), True, r"Received: \['iters'\] of another kind"),
    ],
)
def test_numbers_that_no_training_gives_are_refused(checkpoint, untouched, place, value, message):
    part = checkpoint
    for name in place[:-1]:
        part = part[name]
    if isinstance(value, str) and value in ("nan", "negative"):
        part[place[-1]] = part[place[-1]].copy()
        part[place[-1]].flat[-1] = np.nan if value == "nan" else -1
    else:
        part[place[-1]] = value
    with pytest.raises(ValueError, match=message):
        published.new_model(checkpoint)
        published.restore(untouched, checkpoint)
