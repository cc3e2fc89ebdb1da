"""Start the decoder's token embeddings from a sentence encoder, so that synonyms begin close to each other.

Each token's string is embedded, centred and projected on the leading principal components (the idea of WECHSEL,
Minixhofer et al. 2022, with an encoder in place of static vectors). Tokens that are not words keep a random start.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders


def initial_embeddings(tokenizer: Tokenizer, encoder_folder: str, width: int, std: float = 0.02) -> np.ndarray:
    """(vocab, width) float32 start values of that standard deviation."""
    from sentence_transformers import SentenceTransformer

    n = tokenizer.get_vocab_size()
    byte_decoder = decoders.ByteLevel()
    strings = [byte_decoder.decode([tokenizer.id_to_token(i) or ""]).strip() for i in range(n)]
    words = [i for i, s in enumerate(strings) if len(s) > 1 and any(c.isalpha() for c in s)]
    vectors = SentenceTransformer(encoder_folder, device="cpu").encode([strings[i] for i in words], batch_size=256)
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    projected = centred @ axes[:width].T
    rng = np.random.default_rng(0)
    out = rng.normal(0, std, (n, width)).astype(np.float32)
    # half meaning, half random: pieces of names must stay apart even where their strings mean alike
    out[words] = (0.8 * projected / projected.std() * std + 0.6 * out[words]).astype(np.float32)
    return out


def main() -> None:
    """Write the start embeddings of a tokenizer as .npy."""
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--tokenizer", type=Path, required=True)
    ap.add_argument("--encoder", help="sentence-transformers folder (default: all-MiniLM-L6-v2, as it is installed)")
    ap.add_argument("--width", type=int, default=256)
    ap.add_argument("--out", type=Path, required=True)
    a = ap.parse_args()
    from .export_encoder import default_model_folder

    encoder = a.encoder or str(default_model_folder())
    np.save(a.out, initial_embeddings(Tokenizer.from_file(str(a.tokenizer)), encoder, a.width))


if __name__ == "__main__":
    main()
