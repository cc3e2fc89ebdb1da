"""What is expensive to load, for one domain: encoder and index, reader, the model that writes and its tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from localgen.choose import Chooser
from localgen.decoder.decode import GrammarEngine
from localgen.decoder.model import LlamaModel
from localgen.guide import DomainReader
from localgen.validation.grammars import grammars_of
from localgen_bundle.default import encoder_path, model_path, reader_paths
from localgen_grammars.constraint.dsl_rules import check_grammar
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.index import open_index
from localgen_retrieval.pack import ContextPack, build_pack, whole_catalog
from localgen_retrieval.prompt import GOAL, MARKERS, PromptForm, chat_messages, compact_prompt, policy_rules
from localgen_retrieval.reader import GgufReader
from localgen_retrieval.retrieve import Ranking, Retriever

# (tokens, procs): the shipped model was trained on packs of the first size; a larger model reads more.
PACK = {"compact": (400, 7), "chat": (1500, 20)}
# A catalog of up to so many tokens is shown whole to a model with a chat template: longer to read than a pack, but read
# once, while packs differ from task to task.
WHOLE = 4000


@dataclass
class Models:
    """The loaded models; `close` frees them."""

    domain: Domain
    model: LlamaModel
    form: PromptForm
    engine: GrammarEngine
    encoder: GgufEncoder
    retriever: Retriever
    reader: DomainReader
    chooser: Chooser

    def pack(self, ranking: Ranking, form: PromptForm | None = None) -> ContextPack:
        """The context pack, of the size that this model (or one that is asked in another form) reads."""
        budget, procs = PACK[form or self.form]
        return build_pack(
            self.domain, ranking, budget=budget, max_procs=procs,
            count_tokens=lambda text: len(self.model.tokenize(text, special=False)),
        )

    def messages(self, pack: ContextPack, instruction: str) -> list[dict[str, str]]:
        """How a model with a chat template is asked."""
        return chat_messages(pack.text, instruction, policy_rules(self.domain.catalog.policy))

    def prompt(self, pack: ContextPack, instruction: str) -> list[int]:
        """The ids of the prompt, in the model's own form."""
        if self.form == "compact":
            return self.model.tokenize(compact_prompt(pack.text, instruction), special=True)
        messages = self.messages(pack, instruction)
        if self.whole:
            names = f"Use only: {', '.join(pack.symbols)}"
            messages = chat_messages(
                self.whole, instruction, policy_rules(self.domain.catalog.policy),
                (names, pack.example_text) if pack.example_text else (names,),
            )
        text = self.model.apply_chat_template(messages)
        if text is None:
            text = "\n\n".join(m["content"] for m in messages) + "\n\nScript:\n"
        self.model.expect(self.model.tokenize(text.partition(GOAL)[0], special=True))
        return self.model.tokenize(text, special=True)

    @cached_property
    def whole(self) -> str:
        """The whole catalog as text, "" where it is too long to be shown."""
        text = whole_catalog(self.domain)
        # A token is at most some dozen bytes: what cannot fit need not be counted.
        limit = min(WHOLE, self.model.trained_length // 2)
        few = len(text) < 16 * limit and len(self.model.tokenize(text, special=False)) <= limit
        return text if few else ""

    def close(self) -> None:
        """Free what was loaded."""
        self.model.close()
        self.encoder.close()
        self.reader.close()


def load_models(
    domain: Domain, model: Path | None, cache_dir: Path | None, progress: Callable[[str], None]
) -> Models:
    """Load everything; the index is built where there is none that fits.

    Raises:
        ModelError, CatalogError, GrammarError: what cannot be used.
    """
    # A grammar that cannot be used is reported whatever the task is, and before anything large is loaded.
    grammars = grammars_of(domain)
    for grammar in grammars.values():
        check_grammar(grammar)
    progress("loading the model")
    llama = LlamaModel(model or model_path())
    encoder = GgufEncoder(encoder_path())
    index = open_index(
        domain, encoder, cache_dir or _cache_dir(),
        progress=lambda done, total: progress(f"indexing {done}/{total} symbols"),
    )
    form = _form(llama)
    if form == "chat":
        # The compact form's prompts differ from the first line on, and take less time than reading a file.
        llama.keep_beginnings((cache_dir or _cache_dir()) / "prompts")
    return Models(
        domain=domain,
        model=llama,
        form=form,
        engine=GrammarEngine(llama),
        encoder=encoder,
        retriever=Retriever(index, encoder),
        reader=DomainReader(domain, grammars, GgufReader(*reader_paths())),
        chooser=Chooser(domain, grammars, encoder.encode),
    )


def _form(model: LlamaModel) -> PromptForm:
    """How to ask this model: the shipped model's own form, or its chat template."""
    stated = model.meta("localgen.prompt_form")
    if stated == "compact" or all(len(model.tokenize(m, special=True)) == 1 for m in MARKERS):
        return "compact"
    return "chat"


def _cache_dir() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("localgen", appauthor=False)
