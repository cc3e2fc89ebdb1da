"""Llama, Qwen2 and Qwen3, random models made on the spot: the GGUF is the same model, asks the same way and writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("gguf")
pytest.importorskip("llama_cpp")
pytest.importorskip("lark")
pytest.importorskip("llguidance")

import numpy as np
import tiny_bases

from localgen.decoder.model import LlamaModel
from localgen_bundle.default import DOMAINS, default_folder
from localgen_retrieval.errors import ModelError
from localgen_training.export import gguf_writer
from localgen_training.export.gguf_writer import interleave, llama3_factors, rotation
from localgen_training.export.merge import merge
from localgen_training.export.quantise import quantise_run, quantised_path
from localgen_training.export.to_gguf import Exported, export_folder, export_run
from localgen_training.export.vocabulary import pre_tokenizer_name, read_vocabulary
from localgen_training.run_config import RunConfig, load_config, save_config

EXAMPLES = tiny_bases.examples(12)


@pytest.fixture(scope="module", params=tiny_bases.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def base(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bases.make_base(family, tmp_path_factory.mktemp(family) / "base")


@pytest.fixture(scope="module")
def exported(base: Path) -> tuple[Path, Exported]:
    out = base.parent / "f16.gguf"
    report, _ = export_folder(base, out, EXAMPLES, RunConfig(), name="test")
    return out, report


def test_f16_logits_are_the_originals(exported: tuple[Path, Exported]) -> None:
    assert exported[1].cosine >= 0.999 and exported[1].same_choice > 0.97


def test_the_tokens_of_a_corpus_are_the_originals(exported: tuple[Path, Exported]) -> None:
    assert exported[1].texts >= 3 * len(EXAMPLES)  # one that differs would have stopped the export


def test_generate_asks_with_the_tokens_that_training_saw(exported: tuple[Path, Exported]) -> None:
    assert exported[1].prompt_tokens_equal


def test_metadata_says_what_the_model_is(family: str, base: Path, exported: tuple[Path, Exported]) -> None:
    model = LlamaModel(exported[0])
    try:
        assert model.meta("general.architecture") == family
        assert model.meta("tokenizer.ggml.pre") == ("llama-bpe" if family == "llama" else "qwen2")
        assert model.meta("tokenizer.ggml.add_bos_token") == ("true" if family == "llama" else "false")
        assert model.meta("tokenizer.chat_template") == (base / "chat_template.jinja").read_text()
        end = {"llama": "<|eot_id|>"}.get(family, "<|im_end|>")
        assert exported[1].end_token == end
        assert model.tokenize(end, special=True)[-1:] == [model.eos] and model.eos in model.end_tokens()
        assert model.n_vocab == json.loads((base / "config.json").read_text())["vocab_size"]
    finally:
        model.close()


@pytest.mark.slow
def test_generate_writes_a_valid_script_with_it(exported: tuple[Path, Exported], tmp_path: Path) -> None:
    from localgen.commands.generate import main

    (tmp_path / "task.txt").write_text("Route net CLK on layer M4.")
    out = tmp_path / "out.tcl"
    domain = str(default_folder() / DOMAINS / "pnr")
    words = ["--instruction", str(tmp_path / "task.txt"), "--out", str(out), "--model", str(exported[0])]
    words += ["--domain", domain, "--k", "2", "--max-tokens", "60", "--no-ask"]
    assert main(words) == 0
    from localgen.validation.validate import validate_script
    from localgen_retrieval.catalog_io import load_domain

    assert validate_script(out.read_text(), load_domain(default_folder() / DOMAINS / "pnr"), strict=True).valid


def test_the_whole_way_from_an_adapter_to_a_quantised_file(family: str, base: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = tmp_path / "mine"
    save_config(run, load_config(run, {"base.model": str(base), "export.quantise": "q8_0", "export.texts": 6}))
    data = tiny_bases.write_data(tmp_path / "data", train=6)
    model = peft.get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        peft.LoraConfig(r=4, target_modules=["q_proj", "k_proj", "down_proj"]),
    )
    torch.manual_seed(5)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.copy_(0.3 * torch.randn_like(p))
    model.save_pretrained(run / "sft" / "adapter")
    AutoTokenizer.from_pretrained(base).save_pretrained(run / "sft" / "adapter")
    (run / "sft" / "result.json").write_text('{"folder": "sft/adapter"}')
    merge(run)
    report = export_run(run, data)
    assert report.cosine >= 0.999
    quantised = quantise_run(run)
    assert quantised_path(run, "q8_0").stat().st_size < 0.8 * quantised_path(run, "f16").stat().st_size
    assert float(str(quantised["cosine"])) > 0.99 and quantised["sample"]
    assert sorted(p.name for p in run.glob("*.gguf*")) == ["mine-f16.gguf", "mine-q8_0.gguf"]


def test_an_output_matrix_trained_apart_from_the_embeddings_is_kept(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = tiny_bases.make_base("qwen3", tmp_path / "base")
    run = tmp_path / "run"
    save_config(run, load_config(run, {"base.model": str(base)}))
    model = peft.get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        peft.LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"]),
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lm_head.modules_to_save" in name:
                p.add_(torch.randn_like(p))
    ids = torch.arange(10, 40)[None]
    wanted = model.eval()(input_ids=ids).logits.detach()
    model.save_pretrained(run / "sft" / "adapter")
    AutoTokenizer.from_pretrained(base).save_pretrained(run / "sft" / "adapter")
    (run / "sft" / "result.json").write_text('{"folder": "sft/adapter"}')
    merged = merge(run)
    with torch.no_grad():
        got = AutoModelForCausalLM.from_pretrained(merged).eval()(input_ids=ids).logits
    assert torch.allclose(got, wanted, atol=1e-3)
    report, _ = export_folder(merged, tmp_path / "m.gguf", EXAMPLES[:2], RunConfig(), name="test")
    assert report.cosine >= 0.999


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("family", "name", "wrong"),
    [
        ("llama", "interleave", lambda values, heads: values),
        ("llama", "llama3_factors", lambda width, rope, context: np.ones(width // 2, "f4")),
    ],
)
def test_a_wrong_conversion_is_noticed_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, family: str, name: str, wrong: Any
) -> None:
    base = tiny_bases.make_base(family, tmp_path / "base")
    monkeypatch.setattr(gguf_writer, name, wrong)
    run = tmp_path / "run"
    save_config(run, load_config(run, {"base.model": str(base)}))
    (run / "merge.json").write_text(json.dumps({"model": str(base)}))
    with pytest.raises(ModelError, match="differs from the model"):
        export_run(run, tiny_bases.write_data(tmp_path / "data", train=3))
    assert not list(run.glob("*.gguf*")) and not (run / "export.json").exists()


def test_a_tokenizer_that_splits_otherwise_is_named(tmp_path: Path) -> None:
    base = tiny_bases.make_base("qwen3", tmp_path / "base")
    data = json.loads((base / "tokenizer.json").read_text())
    data["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\w+|\W+"
    with pytest.raises(ModelError, match=r"no pre-tokenizer of llama.cpp"):
        pre_tokenizer_name(data, base)
    data["model"]["byte_fallback"] = True
    with pytest.raises(ModelError, match="sentencepiece-like"):
        pre_tokenizer_name(data, base)
    with pytest.raises(ModelError, match="Unigram"):
        pre_tokenizer_name({"model": {"type": "Unigram"}}, base)


def test_embeddings_beyond_the_tokens_get_placeholders_and_too_few_are_refused(tmp_path: Path) -> None:
    base = tiny_bases.make_base("qwen2", tmp_path / "base")
    size = json.loads((base / "config.json").read_text())["vocab_size"]
    vocabulary = read_vocabulary(base, size)
    assert vocabulary.tokens[-1] == f"[PAD{size - 1}]" and len(set(vocabulary.tokens)) == size
    with pytest.raises(ModelError, match="tokens for 100 embeddings"):
        read_vocabulary(base, 100)


def test_rotations_that_cannot_be_exported_are_refused(tmp_path: Path) -> None:
    base = tiny_bases.make_base("qwen3", tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["rope_parameters"] |= {"rope_type": "longrope", "factor": 2.0}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="longrope"):
        export_folder(base, tmp_path / "m.gguf", EXAMPLES[:2], RunConfig(), name="test")


def test_old_and_new_forms_of_the_rotation_are_read() -> None:
    old = rotation({"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}})
    assert old["rope_type"] == "linear" and old["rope_theta"] == 5e5
    assert rotation({})["rope_theta"] == 10000.0


def test_the_factors_of_llama_3_are_those_of_transformers() -> None:
    import torch
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}  # fmt: skip
    config = LlamaConfig(hidden_size=256, num_attention_heads=2, head_dim=128, rope_parameters=rope)
    wanted, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 500000.0 ** -(np.arange(0, 128, 2) / 128)
    assert np.allclose(plain / llama3_factors(128, rope, 131072), wanted.numpy(), rtol=1e-4)


def test_interleaving_pairs_the_halves_of_each_head() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert interleave(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_stages_that_come_too_early_say_what_to_do_first(tmp_path: Path) -> None:
    run = tmp_path / "early"
    run.mkdir()
    for call, first in ((lambda: merge(run), "sft"), (lambda: export_run(run, tmp_path), "merge"),
                        (lambda: quantise_run(run), "export")):  # fmt: skip
        with pytest.raises(ModelError) as e:
            call()
        assert f"localgen-train {first} --name early" in e.value.hint
    assert list(run.iterdir()) == []


def test_an_adapter_of_another_base_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    one, two = (tiny_bases.make_base("qwen3", tmp_path / n, layers=k) for n, k in (("one", 2), ("two", 1)))
    run = tmp_path / "run"
    save_config(run, load_config(run, {"base.model": str(two)}))
    peft.get_peft_model(
        AutoModelForCausalLM.from_pretrained(one),
        peft.LoraConfig(r=2, target_modules=["q_proj"], layers_to_transform=[1]),
    ).save_pretrained(run / "sft" / "adapter")
    (run / "sft" / "result.json").write_text('{"folder": "sft/adapter"}')
    with pytest.raises(ModelError, match="does not fit"):
        merge(run)
    assert not (run / "merged").exists() and not (run / "merge.json").exists()
    shutil.rmtree(run)
