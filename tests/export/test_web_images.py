"""The page's pure functions, run by node alone, against the library and the mobile example."""

import io
import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from export_scripts import EXPORT
from PIL import Image

from mbu_tf.data import Photo
from mbu_tf.data.images import resize_image
from mbu_tf.exporting.metadata import append_to_tflite
from mbu_tf.faces import CENTRE, FACE, Placement

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

SIZE = 16
# Height and width: smaller than the model's, its own, landscape, portrait, large, tiny.
SHAPES = [(7, 9), (16, 16), (41, 60), (90, 33), (300, 301), (1, 1), (2, 5)]
SQUARES = [
    (Placement(12, 5, 24, 0), (41, 60)),  # On whole pixels.
    (Placement(20.3, 4.9, 21.7, 9.4), (41, 60)),
    (Placement(30.0, 38.0, -25.5, 3.0), (41, 60)),  # Upside down.
    (Placement(-7.5, 11.2, 19.6, -14.8), (41, 60)),  # Beyond an edge,
    (Placement(-50.2, -31.0, 150.1, 20.5), (41, 60)),  # beyond all of them,
    (Placement(100.0, 100.0, 10.0, 1.0), (41, 60)),  # and wholly outside.
    (Placement(101.4, 83.2, 96.3, -41.9), (300, 301)),
]


def call(module, function, *arguments):
    """The result of a function of `export/web/js`; arrays as typed arrays."""

    def plain(value):
        if isinstance(value, bytes):
            return {"Uint8Array": list(value)}
        kind = {"uint8": "Uint8ClampedArray", "float32": "Float32Array"}[str(value.dtype)]
        return {kind: value.ravel().tolist()}

    arguments = [{"Placement": list(x)} if isinstance(x, Placement) else x for x in arguments]
    done = subprocess.run(
        ["node", pathlib.Path(__file__).with_name("call_js.mjs"), module, function],
        input=json.dumps(arguments, default=plain),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def result(*arguments):
    answer = call(*arguments)
    assert "error" not in answer, answer
    return answer["result"]


def picture(photo, alpha=255):
    height, width = photo.shape[:2]
    rgba = np.concatenate([photo, np.full((height, width, 1), alpha, np.uint8)], axis=-1)
    return {"data": rgba, "width": width, "height": height}


def unedited(photo):
    return {**picture(photo), "mask": np.zeros(photo.shape[:2], np.float32)}


def as_photo(picture):
    shape = (picture["height"], picture["width"], 4)
    rgba = np.reshape(picture["data"], shape)
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def centre(shape):
    return CENTRE.placement(*shape)


@pytest.mark.parametrize("side", [1, 2, 9, 16, 17, 32, 100, 131, 480])
def test_pictures_are_resized_as_the_library_does_to_the_bit(side, random_photo):
    photo = random_photo(side, side)
    resized = result("images", "resizeRgb", photo, side, SIZE)
    np.testing.assert_array_equal(np.reshape(resized, (SIZE, SIZE, 3)), resize_image(photo, SIZE))


@pytest.mark.parametrize(
    "eyes", [((20, 30), (61.5, 30)), ((300.2, 81), (212, 40.7)), ((5, 90), (1, 10)), None]
)
def test_a_square_lies_where_the_library_lays_it(eyes):
    framing = FACE if eyes else CENTRE
    made = result("placement", "placementOf", framing.get_config(), 200, 131, eyes)
    expected = framing.placement(131, 200, eyes)
    assert [made[name] for name in expected._fields] == pytest.approx(list(expected), abs=1e-9)
    assert made["pixels"] == expected.pixels


@pytest.mark.parametrize("square", SQUARES)
def test_points_go_to_the_picture_and_back_as_the_librarys(square):
    placement, _ = square
    there = result("placement", "Placement.toPicture", placement, 0.3, 0.8)
    assert there == pytest.approx(placement.to_photo((0.3, 0.8)).tolist())
    assert result("placement", "Placement.toSquare", placement, *there) == pytest.approx([0.3, 0.8])


@pytest.mark.parametrize("square", SQUARES)
def test_squares_are_upright_as_the_librarys_to_the_bit(square, random_photo):
    placement, shape = square
    photo = random_photo(*shape)
    made = result("placement", "Placement.upright", placement, picture(photo))
    expected = placement.upright(photo)
    np.testing.assert_array_equal(np.reshape(made, expected.shape), expected)


@pytest.mark.parametrize("square", SQUARES)
def test_channels_lie_in_the_picture_as_the_librarys_to_the_bit(square):
    placement, (height, width) = square
    side = placement.pixels
    channel = np.random.default_rng(0).random((side, side), np.float32)
    whole = {"left": 0, "top": 0, "right": side, "bottom": side}
    made = result("placement", "Placement.back", placement, channel, 1, whole, width, height)
    rows, columns, expected = placement.back(channel, height, width)
    assert (made["top"], made["left"]) == (rows.start, columns.start)
    np.testing.assert_array_equal(np.float32(made["values"]).reshape(expected.shape), expected)


def test_channels_beside_each_other_are_laid_as_each_by_itself():
    placement, (height, width) = SQUARES[1]
    side = placement.pixels
    channels = np.random.default_rng(0).random((side, side, 4), np.float32)
    whole = {"left": 0, "top": 0, "right": side, "bottom": side}
    made = result("placement", "Placement.back", placement, channels, 4, whole, width, height)
    values = np.float32(made["values"]).reshape(-1, 4)
    for c in range(4):
        _, _, expected = placement.back(channels[..., c], height, width)
        np.testing.assert_array_equal(values[:, c], expected.ravel())


def test_a_square_much_larger_than_the_picture_is_refused(random_photo):
    huge = Placement(0, 0, 5000, 0)
    assert (
        "5000" in call("placement", "Placement.upright", huge, picture(random_photo(9, 9)))["error"]
    )


@pytest.mark.parametrize("square", [*SQUARES, *((centre(shape), shape) for shape in SHAPES)])
def test_the_model_is_shown_what_python_shows_it(square, random_photo, edit_photo):
    placement, shape = square
    photo = random_photo(*shape)
    shown = result("photo_edit", "modelInput", picture(photo), placement, SIZE)
    expected = edit_photo.model_input(photo, placement, SIZE)
    np.testing.assert_array_equal(np.float32(shown).reshape(expected.shape), expected)


@pytest.fixture
def outputs():
    """What a model might return: an image, and a mask with empty, faint and full places."""
    random = np.random.default_rng(3)
    image = random.uniform(0, 1, (1, SIZE, SIZE, 3)).astype(np.float32)
    mask = random.uniform(-1, 2, (1, SIZE, SIZE, 1)).clip(0, 1).astype(np.float32)
    mask[:, : SIZE // 2, :4] = 0
    mask[:, -3:] = 0
    return {"image": image, "mask": mask}


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("square", [*SQUARES, *((centre(shape), shape) for shape in SHAPES)])
def test_edits_are_laid_on_as_python_does_to_the_bit(
    square, binary, outputs, random_photo, edit_photo
):
    if binary:
        outputs["mask"] = np.rint(outputs["mask"])
    placement, shape = square
    photo = random_photo(*shape)
    input = edit_photo.model_input(photo, placement, SIZE)
    laid = result("photo_edit", "layOn", unedited(photo), placement, input, outputs, SIZE)
    expected, mask = edit_photo.lay_on(photo, placement, input, **outputs)
    np.testing.assert_array_equal(as_photo(laid), expected)
    np.testing.assert_array_equal(np.float32(laid["mask"]).reshape(mask.shape), mask)


@pytest.mark.parametrize("square", [*SQUARES, *((centre(shape), shape) for shape in SHAPES)])
def test_outlines_are_pythons(square, outputs, random_photo, edit_photo):
    placement, shape = square
    mask, photo = outputs["mask"], random_photo(*shape)
    binary = (mask >= 0.3).astype(np.float32)
    seen = {"mask": mask, "binary": binary}
    drawn = result("photo_edit", "outline", unedited(photo), placement, seen, SIZE)
    expected = edit_photo.outline(photo, placement, mask, binary)
    np.testing.assert_array_equal(np.reshape(drawn["mask"], expected.shape), expected)


def test_no_outline_where_nothing_is_above_the_threshold(random_photo):
    mask = np.full((1, SIZE, SIZE, 1), 0.2, np.float32)
    seen = {"mask": mask, "binary": 0 * mask}
    drawn = result(
        "photo_edit", "outline", unedited(random_photo(20, 20)), centre((20, 20)), seen, SIZE
    )
    assert not any(drawn["mask"])


def test_the_tint_keeps_to_the_mask(random_photo):
    photo = random_photo(5, 8)
    mask = np.zeros((5, 8), np.float32)
    mask[1, 3] = 1
    tinted = as_photo(result("photo_edit", "tint", picture(photo), mask, [255, 0, 128]))
    changed = (tinted != photo).any(axis=-1)
    assert changed[1, 3] and changed.sum() == 1
    np.testing.assert_allclose(
        tinted[1, 3], 0.4 * photo[1, 3] + 0.6 * np.float32([255, 0, 128]), atol=1
    )


def test_transparent_pictures_are_seen_on_white_and_keep_their_alpha(
    outputs, random_photo, edit_photo
):
    shape = (41, 60)
    colours, placement = random_photo(*shape), SQUARES[1][0]
    alpha = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    photo = Photo(colours, alpha=alpha)
    given = {**picture(colours), "data": np.dstack([colours, alpha])}
    seen = result("photo_edit", "onWhite", given)
    np.testing.assert_array_equal(as_photo(seen), photo.image)
    input = edit_photo.model_input(photo.image, placement, SIZE)
    unedited = result("photo_edit", "unedited", {**picture(photo.image), "own": given["data"]})
    unedited |= {"data": np.uint8(unedited["data"]), "mask": np.float32(unedited["mask"])}
    made = result("photo_edit", "layOn", unedited, placement, input, outputs, SIZE)
    expected = photo.edited(*edit_photo.lay_on(photo.image, placement, input, **outputs))
    laid, mask = np.reshape(made["data"], (*shape, 4)), np.reshape(made["mask"], shape)
    assert np.abs(laid[..., :3] - expected.pixels.astype(int)).max() <= 1
    np.testing.assert_array_equal(laid[mask == 0, :3], colours[mask == 0])
    np.testing.assert_array_equal(laid[..., 3], alpha)
    opaque = result("photo_edit", "onWhite", picture(colours))
    assert "own" not in opaque and as_photo(opaque).tolist() == colours.tolist()


@pytest.mark.parametrize(
    "kind, options",
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "exif": Image.Exif()}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0" + bytes(20)}),
        ("GIF", {}),
        ("BMP", {}),
        ("AVIF", {}),
    ],
)
def test_a_files_head_tells_its_sides(kind, options, random_photo):
    if kind not in Image.SAVE:
        Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    file = io.BytesIO()
    Image.fromarray(random_photo(70, 301)).save(file, kind, **options)
    content = file.getvalue()
    assert result("image_size", "imageSize", content) == [301, 70]
    for cut in (0, 1, 9):
        assert result("image_size", "imageSize", content[:cut]) is None


def test_other_files_tell_no_sides():
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", b"no image"):
        assert result("image_size", "imageSize", content) is None


TOLD = {"image_size": 64, "framing": FACE.get_config(), "name": "Brille – ü"}


@pytest.mark.parametrize("comment", [b"", b"PK\5\6 no end"])
def test_metadata_are_read(comment):
    content = append_to_tflite(bytes(range(256)) * 300, TOLD)
    if comment:
        content = content[:-2] + len(comment).to_bytes(2, "little") + comment
    assert result("metadata", "metadataOf", content) == TOLD


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\5\6" * 9, bytes(200_000)])
def test_a_file_without_metadata_is_of_the_centre_square(content):
    assert result("metadata", "metadataOf", content) == {"framing": {"kind": "centre"}}


@pytest.mark.parametrize(
    "framing",
    [{"kind": "ears"}, {"kind": "face"}, {**FACE.get_config(), "left_eye": [0.7, 0.4]}],
)
def test_a_framing_of_another_kind_is_refused(framing):
    error = call("contract", "checkMetadata", {"framing": framing})["error"]
    assert "neither the centre square nor a face" in error and framing["kind"] in error


def signatures(size=64, **changes):
    """A description of a right model; `changes` replace tensors, named `transfer_inputs_target`."""

    def tensor(channels):
        return {"dtype": "float32", "shape": [1, size, size, channels]}

    edited = {"image": tensor(3), "mask": tensor(1)}
    described = {
        "transfer": {"inputs": {"target": tensor(3), "reference": tensor(3)}, "outputs": edited},
        "remove": {"inputs": {"image": tensor(3)}, "outputs": dict(edited)},
        "segment": {
            "inputs": {"image": tensor(3)},
            "outputs": {"mask": tensor(1), "binary": tensor(1)},
        },
    }
    for path, value in changes.items():
        signature, side, name = path.split("_")
        described[signature][side][name] = value
    return described


def test_a_model_of_the_contract_tells_its_size():
    described = signatures(128)
    told = {"size": 128, "detailSize": None}
    assert result("contract", "checkModel", described) == told
    described |= {f"{name}_detail": tensors for name, tensors in signatures(512).items()}
    assert result("contract", "checkModel", described) == {**told, "detailSize": 512}
    del described["remove_detail"]
    error = call("contract", "checkModel", described)["error"]
    assert "lacks the signature remove_detail" in error


@pytest.mark.parametrize(
    "described, complaint",
    [
        ({}, "lacks the signature transfer, remove, segment"),
        ({"serving_default": {"inputs": {}, "outputs": {}}}, "Received: serving_default"),
        (signatures(remove_inputs_mask={"dtype": "float32", "shape": [1]}), "remove's inputs must"),
        (
            signatures(segment_inputs_image={"dtype": "float32", "shape": [1, 32, 32, 3]}),
            "must be float32 (1, 64, 64, 3)",
        ),
        (
            signatures(transfer_outputs_mask={"dtype": "int8", "shape": [1, 64, 64, 1]}),
            "Received: int8 (1, 64, 64, 1)",
        ),
        (
            signatures(transfer_inputs_target={"dtype": "float32", "shape": [4, 64, 64, 3]}),
            "transfer's inputs: target",
        ),
    ],
)
def test_a_foreign_model_is_refused_with_the_difference(described, complaint):
    error = call("contract", "checkModel", described)["error"]
    assert complaint in error and "mbu-tf export" in error and "Received: " in error


def test_the_two_steps_of_detail_fit_each_other():
    def tensor(*shape):
        return {"dtype": "float32", "shape": list(shape)}

    handed = {"separate": tensor(1, 2, 2, 8), "own": tensor(1, 512, 512, 4)}
    image, mask = tensor(1, 512, 512, 3), tensor(1, 512, 512, 1)

    def parts(taken):
        return {
            "transfer_detail_reference": {"inputs": {"reference": image}, "outputs": handed},
            "transfer_detail_target": {
                "inputs": {"target": image, **taken},
                "outputs": {"image": image, "mask": mask},
            },
        }

    names = {"reference": "transfer_detail_reference", "target": "transfer_detail_target"}
    assert result("contract", "checkParts", parts(handed), 512) == names
    assert result("contract", "checkParts", {}, 512) is None
    for taken in ({}, {"separate": handed["separate"]}, {**handed, "own": image}):
        error = call("contract", "checkParts", parts(taken), 512)["error"]
        assert error.startswith("transfer_detail_target must take what") and "Received: " in error


def test_the_first_signatures_of_a_file_are_those_at_the_models_own_size():
    schema = pytest.importorskip("tensorflow.lite.python.schema_py_generated")
    content = (EXPORT / "web" / "models" / "avatars-glasses.tflite").read_bytes()
    shorter = bytes(result("metadata", "withFirstSignatures", content, 3))
    assert len(shorter) == len(content) and metadata_end(shorter) == metadata_end(content)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(shorter))
    names = [x.signatureKey.decode() for x in model.signatureDefs]
    assert names == [x.name.decode() for x in model.subgraphs] == ["transfer", "remove", "segment"]


def metadata_end(content):
    return content[content.rindex(b"PK\x01\x02") :]
