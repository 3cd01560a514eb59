"""Packaging of mbu_tf."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"', (HERE / "mbu_tf/__init__.py").read_text("utf-8"), re.MULTILINE
)[1]
# What TensorFlow Serving warms up with, and its gRPC client.
SERVING = ["tensorflow-serving-api>=2.20"]
ONNX = ["tf2onnx>=1.17"]
HEIC = ["pillow-heif>=1"]
# FFmpeg, with its encoders.
VIDEO = ["av>=17.1"]
# The guides and the API reference as pages; ruff breaks their signatures into lines.
DOCS = [
    "mkdocs>=1.6,<2",
    "mkdocstrings-python>=2",
    # The last mkdocstrings for Python 3.10 cannot do with later ones.
    'pymdown-extensions<12; python_version < "3.11"',
    "ruff",
]

setup(
    name="mbu_tf",
    version=VERSION,
    description="Mask based unsupervised content transfer for Keras 3 and TensorFlow",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    package_data={
        "mbu_tf": ["py.typed"],
        "mbu_tf.evaluation": ["*/*.css", "*/*.js"],
        "mbu_tf.pretrained": ["*.npz", "*.md", "samples/*"],
        "mbu_tf.faces": ["*.npz", "BLAZEFACE_LICENSE"],
    },
    python_requires=">=3.10",
    # `export`, `examples` and `tests` beside it are no packages to install.
    packages=find_packages(include=["mbu_tf", "mbu_tf.*"]),
    install_requires=[
        # Older ones read files of the machine into weights, and unpack archives without bound.
        'keras>=3.15.1; python_version >= "3.11"',
        'keras>=3.12.4; python_version < "3.11"',
        "tensorflow>=2.20",
        "tensorflow-datasets>=4.9.8",
        # tensorflow-datasets imports it without declaring it for Python 3.11 on.
        "importlib_resources",
        "numpy",
        "pillow>=11.3",
        "filelock>=3.12",
        "jsonschema>=4.18",
        "psutil",
        "dicebear-core>=10.7",
        "dicebear-styles>=10.6",
        "resvg_py>=0.5",
    ],
    extras_require={
        "tensorboard": ["tensorboard"],
        "jax": ["jax>=0.5"],
        "torch": ["torch>=2.6"],
        # Photos as iPhones keep them.
        "heic": HEIC,
        # Who a face is, before and after an edit; CC0 weights, 100 MB.
        "faces": ["dlib-bin>=19.24", "face-recognition-models>=0.3"],
        "video": VIDEO,
        "beam": ["apache-beam>=2.77"],
        "serving": SERVING,
        "onnx": ONNX,
        "docs": DOCS,
        "test": [
            "pytest>=8",
            "hypothesis",
            "pytest-xdist",
            # What the notebook's pictures are shown by.
            "ipython",
            "mypy",
            "ai-edge-litert>=2",
            "onnxruntime",
            "scipy",
            "jax>=0.5",
            # Public-domain portraits.
            "matplotlib",
            "scikit-image",
            *SERVING,
            *ONNX,
            *HEIC,
            *VIDEO,
            *DOCS,
        ],
        # The tests of export/web, which open its page in Debian's chromium.
        "web": ["playwright>=1.40"],
    },
    entry_points={"console_scripts": ["mbu-tf = mbu_tf.cli.main:main"]},
)
