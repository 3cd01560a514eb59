"""What takes more memory than there is says so before it is taken, with the number."""

import re

import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.memory import check_batch
from mbu_tf.networks.attribute_decoder import AttributeDecoder
from mbu_tf.networks.decoder import Decoder
from mbu_tf.networks.encoder import Encoder
from mbu_tf.system import memory
from mbu_tf.system.memory import OutOfMemory, check_memory, free_memory


def test_what_is_free_is_a_containers_where_that_is_less(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    machine = free_memory()
    (tmp_path / "memory.current").write_text("200000\n")
    (tmp_path / "memory.max").write_text("1200000\n")
    assert free_memory() == 1_000_000 < machine
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > 1_000_000


def test_the_message_has_the_numbers(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 16e9)
    check_memory(15e9, "It", "Shrink it.")
    with pytest.raises(OutOfMemory, match=r"It takes 44 GB .* and 16 GB are free. Shrink it."):
        check_memory(44e9, "It", "Shrink it.")
    with pytest.raises(OutOfMemory, match="It takes 1,200 GB"):
        check_memory(1.2e12, "It", "Shrink it.")


@pytest.mark.parametrize("width", [1e6, 40])
def test_networks_wider_than_the_memory(width, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 16e9)
    with pytest.raises(OutOfMemory, match=rf"network of width {re.escape(f'{width:g}')} takes"):
        MaskedContentTransfer(image_size=128, width=width, separate_channels=25)


@pytest.mark.parametrize("network", [Encoder, Decoder, AttributeDecoder])
def test_each_network_says_so_itself(network, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**6)
    with pytest.raises(OutOfMemory, match="A network of width 0.5 takes"):
        network(256, image_size=64, width=0.5)


def test_batches_larger_than_the_memory(tiny_model, monkeypatch):
    # Both images, and the maps of 16, 8, 4 and 2 pixels a side at least.
    monkeypatch.setattr(memory, "free_memory", lambda: 4 * 2 * 3 * 32**2)
    with pytest.raises(OutOfMemory, match="A step of 1 images takes .*--batch-size"):
        check_batch(tiny_model, 1, "A step")
    monkeypatch.undo()
    check_batch(tiny_model, 16, "A step")
    with pytest.raises(OutOfMemory, match="A step of 100000000 images"):
        check_batch(tiny_model, 10**8, "A step")
