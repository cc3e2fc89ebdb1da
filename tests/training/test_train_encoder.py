"""Fine-tuning the encoder: pairs that can be learnt from, a loss that falls, a run that can be taken up again."""

from __future__ import annotations

import json
import lzma
import math
import random
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

import tokenizers
import torch
import transformers

from localgen_training.encoder_pairs import Pair, RealPairs, family_batch
from localgen_training.families import VALIDATION_FIELDS
from localgen_training.train_encoder import BiEncoder, Settings, batches, contrastive_loss, train


def small_model(folder: Path) -> Path:
    """A BERT of two narrow layers with random weights, and word pieces made of whole words of some pairs."""
    from safetensors.torch import save_file

    folder.mkdir()
    texts = [t for i in range(8) for p in family_batch(random.Random(i), 48) for t in (p.query, p.text)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        texts, tokenizers.trainers.WordPieceTrainer(vocab_size=1500, special_tokens=special, show_progress=False)
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config, add_pooling_layer=False)
    config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def test_a_few_steps_lower_the_loss_and_a_second_sitting_goes_on(tmp_path: Path) -> None:
    folder, out = small_model(tmp_path / "small"), tmp_path / "run"
    few = batches(0, 24, None, 0.0)
    settings = Settings(minutes=1, steps=40, lr=2e-3, length=64, save_every=40, threads=1)
    losses = train(BiEncoder(folder, 64), out, lambda step: few(step % 4), {"held_top1": []}, settings)
    assert len(losses) == 40 and all(map(math.isfinite, losses))
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])

    again = BiEncoder(folder, 64)
    more = train(again, out, lambda step: few(step % 4), {"held_top1": []}, Settings(1, 4, 2e-4, 64, 4, 1))
    assert sum(more) < 0.8 * sum(losses[:4])
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines][-1] == 44

    again.save(tmp_path / "full")
    again.save(tmp_path / "none", blend=0.0)
    words = ["route the net on M3", "how hot is it?"]
    again.model.eval()
    kept, start = BiEncoder(tmp_path / "full", 64), BiEncoder(tmp_path / "none", 64)
    kept.model.eval()
    start.model.eval()
    with torch.no_grad():
        assert torch.allclose(kept.encode(words), again.encode(words), atol=1e-5)
        assert not torch.allclose(start.encode(words), again.encode(words), atol=1e-2)


def test_a_family_batch_has_near_twins_of_training_fields_once_each() -> None:
    for seed in range(20):
        batch = family_batch(random.Random(seed), 64)
        keys = [p.key for p in batch]
        assert len(set(keys)) == len(keys) >= 56
        assert not {k.split(".")[0] for k in keys} & set(VALIDATION_FIELDS)
        assert all(p.query.strip() and p.text.strip() and p.key not in p.also for p in batch)
        assert len({k.split(".")[0] for k in keys}) <= 8
        assert batch == family_batch(random.Random(seed), 64)


def test_what_a_query_also_asks_for_is_no_negative() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(1)), dim=-1)
    alone = [Pair("a", "A", "a"), Pair("b", "B", "b"), Pair("c", "C", "c")]
    both = [Pair("a", "A", "a", frozenset({"b"})), *alone[1:]]
    queries = vectors[[1, 1, 2]]
    assert contrastive_loss(queries, vectors, both) < contrastive_loss(queries, vectors, alone)


def test_real_pairs_lose_the_name_of_their_command(tmp_path: Path) -> None:
    rows = [
        {
            "how": "aws",
            "source": "aws/aws-cli",
            "path": f"awscli/examples/ec2/stop-{thing}.rst",
            "instruction": f"To halt a running {thing} now. The following `stop-{thing}` example halts it.",
            "output": f"aws ec2 stop-{thing} --{thing}-id x --force",
        }
        for thing in ("instance", "tunnel", "mirror")
    ]
    block = "Get-Thing [-Name <String>]\n [-Deep]\n    Reads a thing. Needs rights.\nSet-Thing [-Id]\n    Writes."
    rows.append(
        {
            "how": "powershell",
            "source": "x",
            "path": "docs/Mod/Get-Thing.md",
            "instruction": f"Commands:\n{block}\n\nTask: **Get-Thing** reads the blue one.",
            "output": "Get-Thing -Name blue",
        }
    )
    with lzma.open(tmp_path / "pairs-000.jsonl.xz", "wt", encoding="utf-8") as f:
        f.writelines(json.dumps({"kind": "pair", **row}) + "\n" for row in rows)
    real = RealPairs(tmp_path)
    assert len(real) == 4
    found = {p.key: p for seed in range(9) for p in real.batch(random.Random(seed), 8)}
    assert found["Get-Thing"] == Pair("reads the blue one.", "Get Thing. Reads a thing. Name. Deep", "Get-Thing")
    assert found["aws.ec2.stop-tunnel"].query == "halt a running tunnel now."
    assert found["aws.ec2.stop-tunnel"].text == "ec2 stop tunnel. tunnel id. force"
