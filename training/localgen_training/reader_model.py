"""The reader's network: a BERT and a few linear heads on its token states.

A part of the page (a symbol, slot or choice) is its marker's state and the mean of its states. It says whether the part
is asked for, helped by the best word of the instruction for it; a slot points at the tokens that start and end its
value, a symbol at the clause that asks for it (pointers as in Devlin et al. 2019 for questions, slots described in
words as in Rastogi et al. 2020, "Schema-Guided Dialogue").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from localgen_retrieval.reading import CLS, SEP, SLOT_MARK, SYMBOL_MARK, VALUE_MARK, Page, Part

from .reader_data import Labels

POINTER = 64  # dimensions of a pointer
# Pointers: where a value starts and ends, which clause asks for a symbol, which word makes a choice.
TOKEN_HEADS = ("start", "end", "clause", "choice")
# What the odds of a part take as evidence: the best word by this pointer.
EVIDENCE = {"symbol": "clause", "slot": "start", "value": "choice"}
# A slot's value is mostly said where its symbol is asked for: these pointers add the symbol's clause to their own.
IN_CLAUSE = ("start", "end", "choice")
HEADS_FILE = "heads.npz"
_PAD_TO = 32


class Reader(nn.Module):  # type: ignore[misc]
    """BERT with the heads of `HEADS` on markers and pointer keys on the instruction's tokens."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from safetensors.torch import load_file
        from transformers import BertConfig, BertModel

        # Tasks are never seen twice, so there is nothing to regularise; without dropout a step takes half the time.
        config = BertConfig.from_pretrained(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        self.bert: Any = BertModel(config, add_pooling_layer=False)
        state = {k.removeprefix("bert."): v for k, v in load_file(folder / "model.safetensors").items()}
        kept = self.bert.state_dict().keys()
        self.bert.load_state_dict({k: v for k, v in state.items() if k in kept})
        words = self.bert.embeddings.word_embeddings.weight
        words.requires_grad_(False)
        _tell_apart(words)
        width = int(config.hidden_size)
        sizes = dict.fromkeys(EVIDENCE, 1) | dict.fromkeys(TOKEN_HEADS, POINTER)
        self.marks = nn.ModuleDict({k: nn.Linear(width, n) for k, n in sizes.items()})
        scales = dict.fromkeys(EVIDENCE, 0.5) | dict.fromkeys(IN_CLAUSE, 0.5)
        self.evidence = nn.ParameterDict({k: nn.Parameter(torch.tensor(v)) for k, v in scales.items()})
        self.keys = nn.ModuleDict({k: nn.Linear(width, POINTER) for k in TOKEN_HEADS})

    def forward(self, pages: Sequence[Page]) -> torch.Tensor:
        """Token states (pages, longest, width)."""
        longest = -(-max(len(p.ids) for p in pages) // _PAD_TO) * _PAD_TO
        ids = torch.zeros((len(pages), longest), dtype=torch.long)
        for row, p in zip(ids, pages, strict=True):
            row[: len(p.ids)] = torch.tensor(p.ids)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states: torch.Tensor = self.bert(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
        return states.float()

    def heads(self) -> dict[str, NDArray[np.float32]]:
        """The heads' weights by name, as the runtime's `localgen_retrieval.reader` reads them."""
        out = {}
        for group, modules in (("mark", self.marks), ("key", self.keys)):
            for name, layer in modules.items():
                out[f"{group}.{name}.weight"] = layer.weight.detach().numpy().astype(np.float32)
                out[f"{group}.{name}.bias"] = layer.bias.detach().numpy().astype(np.float32)
        return out | {f"evidence.{k}": v.detach().numpy().astype(np.float32) for k, v in self.evidence.items()}

    def load_heads(self, path: Path) -> None:
        """Take the heads of a file that `heads` was saved to."""
        with np.load(path) as data:
            for group, modules in (("mark", self.marks), ("key", self.keys)):
                for name, layer in modules.items():
                    layer.weight.data = torch.from_numpy(data[f"{group}.{name}.weight"])
                    layer.bias.data = torch.from_numpy(data[f"{group}.{name}.bias"])
            for name, scale in self.evidence.items():
                scale.data = torch.from_numpy(data[f"evidence.{name}"])


def _tell_apart(words: torch.Tensor) -> None:
    """Give the markers embeddings of their own: those of BERT's unused entries are short and nearly alike."""
    marks = torch.tensor([SYMBOL_MARK, SLOT_MARK, VALUE_MARK])
    near = functional.normalize(words[marks], dim=1)
    if float((near @ near.T).min()) > 0.5:
        drawn = torch.randn((len(marks), words.shape[1]), generator=torch.Generator().manual_seed(1))
        length = float(words[1000:].norm(dim=1).mean())
        words.data[marks] = functional.normalize(drawn, dim=1) * 1.5 * length


@dataclass(frozen=True)
class Losses:
    """Losses by head, and how many labels each was averaged over."""

    parts: dict[str, torch.Tensor]
    right: dict[str, tuple[int, int]]

    @property
    def total(self) -> torch.Tensor:
        """The sum, weighted."""
        weights = {"clause": 0.3}
        return torch.stack([v * weights.get(k, 1.0) for k, v in self.parts.items()]).sum()


class PageStates:
    """Token states of some pages, and what is read off them."""

    def __init__(self, model: Reader, states: torch.Tensor, pages: Sequence[Page]) -> None:
        self.model, self.states = model, states
        zero = torch.zeros_like(states[:, :1])
        self._sums = torch.cat([zero, states.cumsum(1)], 1)
        self._keys = {name: model.keys[name](states) for name in TOKEN_HEADS}
        self._inside = torch.zeros(states.shape[:2], dtype=torch.bool)
        self._owners: list[dict[Part, Part]] = []
        for row, page in zip(self._inside, pages, strict=True):
            row[1 : len(page.offsets) + 1] = True
            owned = {part: m.symbol for m in page.marks for part in (*m.slots, *(v for vs in m.values for v in vs))}
            self._owners.append(owned)

    def parts(self, rows: Sequence[int], parts: Sequence[Part]) -> torch.Tensor:
        """(n, width) what stands for each part."""
        b = torch.tensor(rows)
        at, end = torch.tensor([p[0] for p in parts]), torch.tensor([p[1] for p in parts])
        means = (self._sums[b, end] - self._sums[b, at]) / (end - at)[:, None]
        made: torch.Tensor = self.states[b, at] + means
        return made

    def points(self, name: str, rows: Sequence[int], parts: Sequence[Part]) -> torch.Tensor:
        """(n, longest) logits of the instruction's tokens, very low for others."""
        b = torch.tensor(rows)
        query = self.model.marks[name](self.parts(rows, parts))
        logits = torch.einsum("nd,nld->nl", query, self._keys[name][b]) / POINTER**0.5
        logits = logits.masked_fill(~self._inside[b], -1e4)
        if name in IN_CLAUSE:
            owners = [self._owners[row][part] for row, part in zip(rows, parts, strict=True)]
            logits = logits + self.model.evidence[name] * functional.log_softmax(self.points("clause", rows, owners), 1)
        return logits

    def odds(self, name: str, rows: Sequence[int], parts: Sequence[Part]) -> torch.Tensor:
        """(n,) log odds of parts."""
        made = self.parts(rows, parts)
        best = self.points(EVIDENCE[name], rows, parts).max(1).values
        found: torch.Tensor = self.model.marks[name](made)[:, 0] + self.model.evidence[name] * best
        return found


def losses(model: Reader, states: torch.Tensor, batch: Sequence[tuple[Page, Labels]]) -> Losses:
    """What the heads get wrong on a batch."""
    read = PageStates(model, states, [page for page, _ in batch])
    parts: dict[str, torch.Tensor] = {}
    right: dict[str, tuple[int, int]] = {}
    for name in ("symbol", "slot"):
        at = [(b, part, y) for b, (_, labels) in enumerate(batch)
              for part, y in (labels.symbols if name == "symbol" else labels.slots).items()]
        if not at:
            continue
        logits = read.odds(name, [b for b, _, _ in at], [part for _, part, _ in at])
        wanted = torch.tensor([float(y) for _, _, y in at])
        parts[name] = functional.binary_cross_entropy_with_logits(logits, wanted)
        right[name] = (int(((logits > 0) == (wanted > 0.5)).sum()), len(at))
    chosen = [(b, v, y) for b, (_, labels) in enumerate(batch) for v, y in labels.choices]
    if chosen:
        rows = [b for b, v, _ in chosen for _ in v]
        logits = read.odds("value", rows, [part for _, v, _ in chosen for part in v])
        sizes = [len(v) for _, v, _ in chosen]
        table = nn.utils.rnn.pad_sequence(list(logits.split(sizes)), batch_first=True, padding_value=-1e4)
        wanted = torch.tensor([y for _, _, y in chosen])
        parts["value"] = functional.cross_entropy(table, wanted)
        right["value"] = (int((table.argmax(1) == wanted).sum()), len(chosen))
    for name in ("start", "end", "clause"):
        pointed = [(b, part, tokens) for b, (_, labels) in enumerate(batch)
                   for part, tokens in {"start": labels.starts, "end": labels.ends, "clause": labels.clauses}[name]]
        if not pointed:
            continue
        rows = [b for b, _, _ in pointed]
        logits = read.points(name, rows, [part for _, part, _ in pointed])
        good = torch.zeros_like(logits, dtype=torch.bool)
        for i, (_, _, tokens) in enumerate(pointed):
            good[i, tokens] = True
        log_p = functional.log_softmax(logits, 1)
        parts[name] = -torch.logsumexp(log_p.masked_fill(~good, -1e4), 1).mean()
        hit = good.gather(1, logits.argmax(1)[:, None]).sum()
        right[name] = (int(hit), len(pointed))
    return Losses(parts, right)


def wordpieces(folder: Path) -> Any:
    """A function from a text to ids without special tokens, by the folder's tokenizer."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    if made.token_to_id("[CLS]") != CLS or made.token_to_id("[SEP]") != SEP:
        raise ValueError(f"{folder}: not BERT's uncased vocabulary")
    return lambda text: made.encode(text, add_special_tokens=False).ids
