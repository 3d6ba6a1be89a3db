"""Which processor this is, as far as numbers may depend on it."""

import platform
from pathlib import Path

WIDEST = {"avx512f": "AVX-512", "avx2": "AVX2", "sse4_2": "SSE4.2"}
"""Instruction sets between which libraries choose, by Linux's flag, the widest first."""


def processor(information: str | Path = "/proc/cpuinfo") -> str:
    """Its name, family, model, and widest instruction set; where Linux does not tell them, what Python knows."""
    if not Path(information).is_file():
        return platform.processor() or platform.machine()
    lines = Path(information).read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    of = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    numbers = [f"{name.removeprefix('cpu ')} {of[name]}" for name in ("cpu family", "model") if name in of]
    sets = [words for flag, words in WIDEST.items() if flag in of.get("flags", "").split()]
    return ", ".join([of.get("model name", platform.machine()), *numbers, *sets[:1]])
