"""Examples as rows: the prompt that `generate` will show, loss on the answer and its end alone, packing, curriculum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("trl")
pytest.importorskip("llama_cpp")

import tiny_bases
import torch

from localgen_retrieval.errors import ModelError, UsageError
from localgen_training.examples import Example
from localgen_training.sft.conversation import IGNORED, ConversationEncoder
from localgen_training.sft.rows import PHASES, encode_split, training_rows, validation_rows


@pytest.fixture(scope="module", params=tiny_bases.FAMILIES)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tiny_bases.make_tokenizer(request.param)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bases.write_data(tmp_path_factory.mktemp("data"), train=30)


def test_loss_is_on_the_answer_and_on_the_token_that_ends_the_turn(tokenizer: Any) -> None:
    (example,) = tiny_bases.examples(1)
    made = ConversationEncoder(tokenizer).encode(example)
    learnt = [i for i in made.labels if i != IGNORED]
    assert tokenizer.decode(learnt[:-1]) == example.response
    assert tokenizer.convert_ids_to_tokens(learnt[-1]) in ("<|eot_id|>", "<|im_end|>")
    start = len(made.labels) - len(learnt)
    assert made.labels[:start] == [IGNORED] * start and made.input_ids[start:] == learnt
    prompt = tokenizer.decode(made.input_ids[:start])
    assert example.instruction in prompt and prompt.rstrip().endswith(("assistant<|end_header_id|>", "assistant"))


def test_llama_begins_with_its_token_and_only_once() -> None:
    tokenizer = tiny_bases.make_tokenizer("llama")
    ids = ConversationEncoder(tokenizer).encode(tiny_bases.examples(1)[0]).input_ids
    assert ids[0] == tokenizer.bos_token_id and ids.count(tokenizer.bos_token_id) == 1


def test_a_model_without_template_gets_the_plain_prompt_and_the_end_of_text() -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen2")
    tokenizer.chat_template = None
    encoder = ConversationEncoder(tokenizer)
    (example,) = tiny_bases.examples(1)
    made = encoder.encode(example)
    assert made.input_ids[-1] == tokenizer.eos_token_id
    assert "\n\nScript:\n" in tokenizer.decode(made.input_ids) and "<|im_start|>" not in tokenizer.decode(
        made.input_ids
    )


def test_a_base_whose_text_ends_otherwise_than_its_turns_learns_the_turns_end() -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen2")
    tokenizer.eos_token = "<|endoftext|>"
    assert tokenizer.convert_ids_to_tokens(ConversationEncoder(tokenizer).end) == "<|im_end|>"


def test_a_tokenizer_without_any_end_is_refused() -> None:
    tokenizer = tiny_bases.make_tokenizer("llama")
    tokenizer.chat_template = tokenizer.eos_token = None
    with pytest.raises(ModelError, match="ends a text"):
        ConversationEncoder(tokenizer)


def rows_of(data: Path, tokenizer: Any, **changes: Any) -> Any:
    settings = {"length": 512, "epochs": 2, "packing": True, "curriculum": True, "seed": 1} | changes
    return training_rows(data / "train.jsonl", ConversationEncoder(tokenizer), **settings)


def test_the_first_epoch_goes_from_micro_to_flow(data: Path) -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen3")
    by_phase, _ = encode_split(data / "train.jsonl", ConversationEncoder(tokenizer), 512)
    known = {tuple(e.input_ids): phase for phase in PHASES for e in by_phase[phase]}
    phases = []
    for row in rows_of(data, tokenizer, packing=False, epochs=1).dataset:
        phases.append(PHASES.index(known[tuple(row["input_ids"])]))
    assert phases == sorted(phases) and set(phases) == {0, 1, 2}
    shuffled = [PHASES.index(known[tuple(r["input_ids"])]) for r in rows_of(data, tokenizer, packing=False).dataset]
    assert len(shuffled) == 60 and shuffled[30:] != sorted(shuffled[30:])


def test_packing_cuts_nothing_and_leaves_little_room(data: Path) -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen3")
    plain, packed = (rows_of(data, tokenizer, packing=p, epochs=1) for p in (False, True))
    singles = sorted(tuple(r["input_ids"]) for r in plain.dataset)
    cut = []
    for row in packed.dataset:
        assert len(row["input_ids"]) <= 512 and sum(row["seq_lengths"]) == len(row["input_ids"])
        at = 0
        for n in row["seq_lengths"]:
            cut.append(tuple(row["input_ids"][at : at + n]))
            at += n
    assert sorted(cut) == singles and len(packed.dataset) < 0.6 * len(plain.dataset)


def test_the_order_is_a_function_of_the_seed(data: Path) -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen3")
    one, two, other = (rows_of(data, tokenizer, seed=s).dataset.to_list() for s in (1, 1, 2))
    assert one == two and one != other


def test_conversations_in_one_row_do_not_see_each_other(data: Path, tmp_path: Path) -> None:
    """The loss of a packed row is that of its conversations apart."""
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    model = AutoModelForCausalLM.from_pretrained(tiny_bases.make_base("qwen3", tmp_path)).eval()
    tokenizer = tiny_bases.make_tokenizer("qwen3")
    row = next(r for r in rows_of(data, tokenizer, epochs=1).dataset if len(r["seq_lengths"]) > 1)
    batch = DataCollatorForLanguageModeling(0, padding_free=True)([row])
    with torch.no_grad():
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits[0]
        at = 0
        for n in row["seq_lengths"]:
            alone = model(input_ids=torch.tensor([row["input_ids"][at : at + n]])).logits[0]
            assert torch.allclose(packed[at : at + n], alone, atol=1e-3)
            at += n


def test_examples_that_are_too_long_are_left_out_and_counted(data: Path) -> None:
    tokenizer = tiny_bases.make_tokenizer("qwen3")
    lengths = sorted(len(r["input_ids"]) for r in rows_of(data, tokenizer, packing=False, epochs=1).dataset)
    rows = rows_of(data, tokenizer, length=lengths[9])
    assert rows.examples + rows.too_long == 30 and 0 < rows.examples < 30
    with pytest.raises(UsageError, match="no example of at most 40 tokens"):
        rows_of(data, tokenizer, length=40)


def test_missing_and_broken_data_say_which_command_makes_it(tmp_path: Path) -> None:
    encoder = ConversationEncoder(tiny_bases.make_tokenizer("qwen3"))
    with pytest.raises(UsageError, match="no training data") as e:
        validation_rows(tmp_path / "validation.jsonl", encoder, length=100)
    assert "localgen-train data" in e.value.hint
    (tmp_path / "train.jsonl").write_text(tiny_bases.examples(1)[0].model_dump_json() + '\n{"id": 1}\n')
    with pytest.raises(UsageError, match="a line is no example"):
        encode_split(tmp_path / "train.jsonl", encoder, 512)


def test_examples_of_the_kit_are_examples(data: Path) -> None:
    assert all(isinstance(e, Example) for e in tiny_bases.examples(3))
