"""JSON in and out of columns, in about a fifth of the time of the standard library."""

import json
from typing import Any

import msgspec


def encode_json(value: Any) -> str:
    """The value as JSON."""
    return _encoder.encode(value).decode()


def decode_json(text: str) -> Any:
    """What stands in a column. The strict reader is tried first; half a character of some source, the lenient reads."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return json.loads(text)


def _encode_unknown(value: Any) -> Any:
    """Kinds of text are text."""
    if isinstance(value, str):
        return str.__str__(value)  # str() may answer the same kind again
    raise TypeError(f"A {type(value).__name__} cannot be stored as JSON.")


_encoder = msgspec.json.Encoder(enc_hook=_encode_unknown)
_decoder = msgspec.json.Decoder()
