"""Other checkpoints, built here by transformers itself with random weights: no hub is asked."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.checkpoint import build_checkpoint
from classifiers.encoder import Encoder
from classifiers.heads import N_LOGITS, Calibration, Heads, Member, load_heads, save_heads
from classifiers.labelled import LabelledCheckpoint
from classifiers.mentions import MentionClassifier
from listener.config import OtherClassifier
from listener.errors import ModelUnavailableError
from listener.model import Sentiment
from tests.unit.classifiers.weights_file import PIECES, write_weights

TEXTS = ["late again", "thanks", "", "a much longer text about a kettle that leaks", "late again", "x" * 500]
TONES = {"bad": {"sentiment": "negative"}, "so": {"sentiment": "neutral"}, "good": {"sentiment": "positive"}}
ARCHITECTURES = ("Bert", "DistilBert", "XLMRoberta", "Electra")

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return build_checkpoint(folder / "cache", source=write_weights(folder / "small.bin"))


@pytest.fixture
def make(tmp_path: Path, small: Path) -> Make:
    """Return a function that writes a checkpoint folder and returns it."""

    def write(architecture: str = "Bert", labels: tuple[str, ...] = tuple(TONES), **more: Any) -> Path:
        import torch
        import transformers

        torch.manual_seed(7)
        config = getattr(transformers, f"{architecture}Config")(
            vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, initializer_range=0.5,
            id2label=dict(enumerate(labels)), label2id={label: number for number, label in enumerate(labels)}, **more,
        )  # fmt: skip
        if architecture == "DistilBert":
            config.dim, config.n_layers, config.n_heads, config.hidden_dim = 32, 2, 2, 64
        model = getattr(transformers, f"{architecture}ForSequenceClassification")(config)
        folder = tmp_path / f"{architecture}-{len(labels)}"
        model.save_pretrained(folder)
        shutil.copy(small / "tokenizer.json", folder)
        return folder

    return write


def load(folder: Path, labels: dict[str, dict[str, Any]] = TONES) -> LabelledCheckpoint:
    return LabelledCheckpoint(OtherClassifier.model_validate({"checkpoint": str(folder), "labels": labels}), 1)


def logits_of(folder: Path, text: str) -> np.ndarray:
    """Return what transformers itself makes of one text."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # RoBERTa's kin count positions from two on.
    tokenizer.enable_truncation(64 if "XLM" in folder.name else 66)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        found: np.ndarray = model(torch.tensor([tokenizer.encode(text).ids])).logits[0].numpy()
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_probabilities_are_those_of_transformers(make: Make, architecture: str) -> None:
    folder = make(architecture)
    found = load(folder).probabilities(TEXTS, batch=4)
    for row, text in enumerate(TEXTS):
        logits = logits_of(folder, text)
        assert np.allclose(found[row], np.exp(logits) / np.exp(logits).sum(), atol=1e-5), text


def test_labels_that_may_hold_together_have_probabilities_of_their_own(make: Make) -> None:
    folder = make(problem_type="multi_label_classification")
    found = load(folder).probabilities(TEXTS)
    assert np.allclose(found[0], 1 / (1 + np.exp(-logits_of(folder, TEXTS[0]))), atol=1e-5)


def test_one_label_alone_is_a_probability(make: Make) -> None:
    found = load(make(labels=("complaint",)), {"complaint": {"complaint": 1.0}}).probabilities(TEXTS)
    assert ((found > 0) & (found < 1)).all()


@pytest.fixture(scope="module")
def bundled(classifier: MentionClassifier) -> MentionClassifier:
    return classifier


def test_what_it_gives_stands_in_place_of_the_bundled_models(make: Make, bundled: MentionClassifier) -> None:
    other = load(make())
    before = bundled.classify(TEXTS)
    after = other.put_into(before, TEXTS)
    shares = other.probabilities(TEXTS)
    for row, (one, changed) in enumerate(zip(before, after, strict=True)):
        assert changed.sentiment_probabilities == pytest.approx(shares[row])
        assert changed.sentiment is tuple(Sentiment)[int(np.argmax(shares[row]))]
        assert (changed.complaint, changed.urgency, changed.topic) == (one.complaint, one.urgency, one.topic)
        assert (changed.signals, changed.language) == (one.signals, one.language)


def test_every_output_can_be_given_at_once(make: Make, bundled: MentionClassifier) -> None:
    labels = {
        "calm": {"complaint": 0.0, "urgency": 0, "topic": "praise", "sentiment": "positive"},
        "sore": {"complaint": 0.8, "urgency": 1, "topic": "staff", "sentiment": "negative"},
        "fire": {"complaint": 1.0, "urgency": 3, "topic": "safety", "sentiment": "negative"},
    }
    other = load(make(labels=tuple(labels)), labels)
    shares = other.probabilities(TEXTS)
    for found, (calm, sore, fire) in zip(other.put_into(bundled.classify(TEXTS), TEXTS), shares, strict=True):
        assert found.complaint == pytest.approx(0.8 * sore + fire, abs=1e-6)
        assert found.urgency_probabilities == pytest.approx((calm, sore, 0.0, fire), abs=1e-6)
        assert found.urgency == round(sore + 3 * fire)
        assert found.topic == ("praise", "staff", "safety")[int(np.argmax([calm, sore, fire]))]
        assert found.sentiment_probabilities == pytest.approx((sore + fire, 0.0, calm), abs=1e-6)


def test_the_daemons_classifier_uses_it_and_says_so(make: Make, model_cache: Path) -> None:
    options = OtherClassifier.model_validate({"checkpoint": str(make()), "labels": TONES})
    whole = MentionClassifier.load(model_cache, threads=1, others=[options])
    found = whole.classify(["@bob my kettle caught fire https://t.co/x"], reasons=True)[0]
    expected = load(Path(options.checkpoint)).probabilities(["@user my kettle caught fire http"])[0]
    assert found.sentiment_probabilities == pytest.approx(expected)
    assert found.reasons
    assert found.model == whole.version
    assert found.model.startswith(load_heads().version)
    assert "Bert-3+" in found.model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_another_encoder_reads_with_heads_made_for_it(make: Make, tmp_path: Path, architecture: str) -> None:
    encoder, heads = make(architecture), tmp_path / "heads"
    save_heads(random_heads(n_features=64), {}, heads)
    whole = MentionClassifier.load(tmp_path / "cache", threads=1, checkpoint=encoder, weights=heads)
    assert len(whole.classify(TEXTS)) == len(TEXTS)
    assert whole.embed(TEXTS).shape == (len(TEXTS), 64)
    assert whole.version == load_heads(heads).version


def random_heads(n_features: int) -> Heads:
    random = np.random.default_rng(1)
    shapes = {
        "mean": (n_features,), "deviation": (n_features,), "hidden_weight": (8, n_features), "hidden_bias": (8,),
        "output_weight": (N_LOGITS, 8), "output_bias": (N_LOGITS,),
    }  # fmt: skip
    arrays = {name: random.uniform(0.5, 1.0, shape).astype(np.float32) for name, shape in shapes.items()}
    ones, noughts = np.ones(N_LOGITS, np.float32), np.zeros(N_LOGITS, np.float32)
    return Heads((Member(**arrays),), Calibration(ones, noughts), np.full(8, 0.5, np.float32), (1, 2), "test")


def test_bundled_heads_on_another_encoder_are_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="2 layers, and layer 12 is asked for"):
        MentionClassifier.load(tmp_path / "cache", threads=1, checkpoint=make())


def test_heads_of_another_width_are_refused(make: Make, tmp_path: Path) -> None:
    save_heads(random_heads(n_features=128), {}, tmp_path / "heads")
    with pytest.raises(ModelUnavailableError, match="128 features and the encoder gives 64"):
        MentionClassifier.load(tmp_path / "cache", threads=1, checkpoint=make(), weights=tmp_path / "heads")


def test_layers_that_the_encoder_lacks_are_named(make: Make) -> None:
    with pytest.raises(ModelUnavailableError, match="2 layers, and layer 6 is asked for"):
        Encoder(make(), 1, layers=(1, 6))


def test_labels_other_than_the_checkpoints_are_refused(make: Make) -> None:
    with pytest.raises(ModelUnavailableError, match="bad, so, good"):
        load(make(), {"bad": {"sentiment": "negative"}})


def test_a_pickle_is_refused(make: Make) -> None:
    folder = make()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnavailableError, match="pickle"):
        load(folder)
    with pytest.raises(ModelUnavailableError):
        Encoder(folder, 1)


def test_code_of_its_own_is_never_run(make: Make, tmp_path: Path) -> None:
    folder = make()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    named = {"AutoConfig": "evil.C", "AutoModel": "evil.M", "AutoModelForSequenceClassification": "evil.M"}
    changed = config | {"model_type": "unheard-of", "auto_map": named}
    (folder / "config.json").write_text(json.dumps(changed), "utf-8")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", "utf-8")
    for attempt in (lambda: load(folder), lambda: Encoder(folder, 1)):
        with pytest.raises(ModelUnavailableError):
            attempt()
    assert not (tmp_path / "ran").exists()


def test_an_encoder_without_its_classification_head_is_refused(make: Make) -> None:
    from safetensors.numpy import load_file, save_file

    path = make() / "model.safetensors"
    tensors = {name: one for name, one in load_file(path).items() if not name.startswith("classifier")}
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ModelUnavailableError, match="lacks classifier"):
        load(path.parent)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_truncated_file_is_named(make: Make, name: str) -> None:
    path = make() / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelUnavailableError, match=path.parent.name):
        load(path.parent)


def with_tensor(folder: Path, part: str, change: Callable[[Any], Any]) -> Path:
    """Change the tensors whose name holds `part`."""
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = {name: change(one) if part in name else one for name, one in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    return folder


def with_config(folder: Path, **changes: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    return folder


def test_weights_that_are_no_numbers_are_refused(make: Make) -> None:
    folder = with_tensor(make(), "classifier.weight", lambda one: np.full_like(one, np.nan))
    with pytest.raises(ModelUnavailableError, match=r"Bert-3.*no number"):
        load(folder)


def test_a_tokenizer_with_more_pieces_than_the_embedding_is_refused(make: Make) -> None:
    rows = 8
    folder = with_tensor(make(), "word_embeddings", lambda one: one[:rows].copy())
    with pytest.raises(ModelUnavailableError, match=r"Bert-3.*tokenizer"):
        load(with_config(folder, vocab_size=rows))


@pytest.mark.parametrize("positions", [0, -5, 1, 2, 100_000, "many", [7], None])
def test_positions_that_cannot_be_are_refused(make: Make, positions: object) -> None:
    with pytest.raises(ModelUnavailableError, match="Bert-3"):
        load(with_config(make(), max_position_embeddings=positions))


@pytest.mark.parametrize("pad", [10**6, -(10**6), "x"])
def test_a_padding_token_that_cannot_be_is_refused(make: Make, pad: object) -> None:
    with pytest.raises(ModelUnavailableError, match="Bert-3"):
        load(with_config(make(), pad_token_id=pad))


def test_a_model_that_needs_a_padding_token_and_has_none_is_refused(tmp_path: Path, small: Path) -> None:
    from transformers import GPT2Config, GPT2ForSequenceClassification

    labels = dict(enumerate(TONES))
    config = GPT2Config(vocab_size=len(PIECES), n_embd=32, n_layer=1, n_head=2, id2label=labels, pad_token_id=None)
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path / "gpt")
    shutil.copy(small / "tokenizer.json", tmp_path / "gpt")
    with pytest.raises(ModelUnavailableError, match=r"gpt.*no padding token"):
        load(tmp_path / "gpt")


def test_others_do_without_a_padding_token(make: Make) -> None:
    found = load(with_config(make(), pad_token_id=None))
    assert np.allclose(found.probabilities(TEXTS[:1])[0], found.probabilities(TEXTS)[0], atol=1e-5)
