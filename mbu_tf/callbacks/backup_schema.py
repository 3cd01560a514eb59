"""What a state of `Backup` holds, as JSON Schema; `runs/state.py` reads it."""

from mbu_tf.runs.state import ARRAY_SCHEMA, COUNT

INTEGERS = {"type": "array", "items": {"type": "integer"}}
# Of the first callback, Keras's own.
HISTORY = {
    "type": "object",
    "properties": {
        "epoch": INTEGERS,
        "history": {"type": "object", "additionalProperties": {"type": "array"}},
    },
}
STATE = {
    "type": "object",
    "required": [
        *("settings", "epoch", "step_in_epoch", "seconds"),
        *("variables", "callbacks", "random"),
    ],
    "properties": {
        "settings": {"type": "object"},
        "epoch": COUNT,
        "step_in_epoch": COUNT,
        "seconds": {"type": "number", "minimum": 0},
        "variables": {"type": "array", "items": ARRAY_SCHEMA},
        "callbacks": {"type": "array", "prefixItems": [HISTORY], "items": {"type": "object"}},
        "random": {
            "type": "object",
            "required": ["python", "numpy"],
            "properties": {
                "python": {
                    "type": "array",
                    "prefixItems": [COUNT, INTEGERS, {"type": ["number", "null"]}],
                    "minItems": 3,
                    "items": False,
                },
                "numpy": {
                    "type": "array",
                    "prefixItems": [{"const": "MT19937"}, ARRAY_SCHEMA, COUNT, COUNT],
                    "minItems": 5,
                    "items": {"type": "number"},
                },
            },
        },
    },
}
