"""Tiny models that hear, speak and play."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .tiny import save, seed
from .tiny_text import names

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
WAV2VEC2: dict[str, Any] = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
    conv_dim=(16, 16, 16), conv_stride=(5, 4, 4), conv_kernel=(10, 8, 4),
    num_feat_extract_layers=3, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
)  # fmt: skip
WHISPER_SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip


def _whisper_tokenizer() -> tuple[Any, dict[str, int]]:
    from transformers import WhisperTokenizerFast

    base = tiny_tokenizers.byte_level(chat=False)
    state = json.loads(base.backend_tokenizer.to_str())["model"]
    plain = [t for t, _ in sorted(state["vocab"].items(), key=lambda i: i[1]) if t[0] != "<"]
    vocab = {token: i for i, token in enumerate(plain)}
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in state["merges"]]
    merges = [m for m in merges if {m[0], m[1], m[0] + m[1]} <= vocab.keys()]
    tokenizer = WhisperTokenizerFast(vocab=vocab, merges=merges)
    tokenizer.add_special_tokens({"additional_special_tokens": list(WHISPER_SPECIAL[1:])})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(101)])
    return tokenizer, {token: tokenizer.convert_tokens_to_ids(token) for token in WHISPER_SPECIAL}


def whisper(out: Path) -> None:
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
    )

    tokenizer, ids = _whisper_tokenizer()
    start, end = ids["<|startoftranscript|>"], ids["<|endoftext|>"]
    seed()
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_source_positions=1500, max_target_positions=64,
            decoder_start_token_id=start, bos_token_id=end, eos_token_id=end, pad_token_id=end,
            suppress_tokens=None, begin_suppress_tokens=None,
        )
    )  # fmt: skip
    processor = WhisperProcessor(WhisperFeatureExtractor(), tokenizer)
    save(
        model, processor, out, "tiny Whisper", "automatic-speech-recognition",
        lang_to_id={"<|en|>": ids["<|en|>"], "<|de|>": ids["<|de|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        no_timestamps_token_id=ids["<|notimestamps|>"], is_multilingual=True, max_length=48,
        return_timestamps=False, decoder_start_token_id=start, eos_token_id=end, pad_token_id=end,
        prev_sot_token_id=ids["<|startofprev|>"], max_initial_timestamp_index=50,
        alignment_heads=[[0, 0], [1, 0]],
    )  # fmt: skip


def ctc(out: Path) -> None:
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    pieces = ["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS.upper()]
    (out / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(pieces)}))
    tokenizer = Wav2Vec2CTCTokenizer(str(out / "vocab.json"))
    seed()
    config = Wav2Vec2Config(vocab_size=len(pieces), pad_token_id=0, **WAV2VEC2)
    processor = Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer)
    save(Wav2Vec2ForCTC(config), processor, out, "tiny CTC", "automatic-speech-recognition")


def audio_classification(out: Path) -> None:
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForSequenceClassification,
    )

    seed()
    model = Wav2Vec2ForSequenceClassification(
        Wav2Vec2Config(**names("speech", "music", "noise"), **WAV2VEC2)
    )
    save(model, Wav2Vec2FeatureExtractor(), out, "tiny ear", "audio-classification")


def vits(out: Path) -> None:
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    vocab = {token: i for i, token in enumerate([*LETTERS, " ", "<pad>", "<unk>"])}
    (out / "vocab.json").write_text(json.dumps(vocab))
    tokenizer = VitsTokenizer(
        str(out / "vocab.json"), pad_token="<pad>", unk_token="<unk>", phonemize=False,
        is_uroman=False, language="eng",
    )  # fmt: skip
    seed()
    model = VitsModel(
        VitsConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            ffn_dim=32, flow_size=16, spectrogram_bins=9, duration_predictor_filter_channels=16,
            prior_encoder_num_flows=1, prior_encoder_num_wavenet_layers=1,
            posterior_encoder_num_wavenet_layers=1, duration_predictor_num_flows=1,
            depth_separable_num_layers=1, upsample_initial_channel=16, upsample_rates=[8, 8, 4],
            upsample_kernel_sizes=[16, 16, 8], resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1, 3]], sampling_rate=16000,
        )
    )  # fmt: skip
    save(model, tokenizer, out, "tiny VITS", "text-to-speech")


def musicgen(out: Path) -> None:
    from transformers import (
        EncodecConfig,
        EncodecFeatureExtractor,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenProcessor,
        T5Config,
    )

    tokenizer = tiny_tokenizers.unigram()
    text = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4
    )
    codec = EncodecConfig(
        sampling_rate=16000, num_filters=4, hidden_size=8, codebook_size=32, codebook_dim=8,
        upsampling_ratios=[8, 5, 4, 2], num_lstm_layers=1, target_bandwidths=[1.0],
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=32, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=2,
        num_codebooks=4, max_position_embeddings=128, pad_token_id=32, bos_token_id=32,
    )  # fmt: skip
    seed()
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(
            text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
        )
    )
    processor = MusicgenProcessor(EncodecFeatureExtractor(sampling_rate=16000), tokenizer)
    save(model, processor, out, "tiny MusicGen", "text-to-audio", decoder_start_token_id=32,
         pad_token_id=32, bos_token_id=32, max_length=256)  # fmt: skip
