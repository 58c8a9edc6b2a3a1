"""Writes a language model that has learned one text by heart, as a GGUF file.

Every piece of the text is a token of its own, and the output layer of the network maps each token to the one that
follows it; attention and feed-forward layers are zero. So a real server loads, samples, streams and counts it like any
other model, whatever it is asked.
"""

import struct

ALIGNMENT = 32
FLOAT32 = 0
UINT32, INT32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

UNKNOWN_TOKEN, BEGIN, END, ASSISTANT = range(4)
SPECIAL = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL), ("<|assistant|>", CONTROL)]
TEMPLATE = (
    "{% for message in messages %}{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FEED_FORWARD = 32
# The logit of the right token exceeds all others by so much that the model is right at any temperature.
CERTAINTY = 10.0
CONTEXT = 32768


def pieces(text):
    """Cuts a text into distinct pieces."""
    found, start = [], 0
    for end in range(1, len(text) + 1):
        piece = text[start:end]
        if len(piece) >= 3 and piece not in found:
            found.append(piece)
            start = end
    if start < len(text):
        # The rest is too short or already a piece: joined to the last piece it is a new one.
        found = found[:-1] + ["".join(found[-1:]) + text[start:]]
    return found


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    if kind == STRING:
        return string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT: "<f", BOOL: "<?"}[kind], value)


def entry(key, kind, value):
    return string(key) + struct.pack("<I", kind) + scalar(kind, value)


def array(key, kind, values):
    head = string(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(scalar(kind, value) for value in values)


def write(path, text):
    text_pieces = [piece.replace(" ", "\u2581") for piece in pieces(text)]
    tokens = SPECIAL + [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    first_piece = len(tokens)
    tokens += [(piece, NORMAL) for piece in text_pieces]

    # One dimension for each token that has a successor; all other tokens share the first.
    chain = [ASSISTANT, *range(first_piece, len(tokens)), END]
    width = -(-len(chain) // 64) * 64
    embedding = [[0.0] * width for _ in tokens]
    output = [[0.0] * width for _ in tokens]
    for token in range(len(tokens)):
        embedding[token][0] = 1.0
    output[END][0] = CERTAINTY
    for dimension, (token, successor) in enumerate(zip(chain, chain[1:]), start=1):
        embedding[token] = [0.0] * width
        embedding[token][dimension] = 1.0
        output[successor][dimension] = CERTAINTY

    ones, square = [[1.0] * width], [[0.0] * width] * width
    wide, tall = [[0.0] * width] * FEED_FORWARD, [[0.0] * FEED_FORWARD] * width
    tensors = {
        "token_embd.weight": embedding,
        "output_norm.weight": ones,
        "output.weight": output,
        "blk.0.attn_norm.weight": ones,
        "blk.0.attn_q.weight": square,
        "blk.0.attn_k.weight": square,
        "blk.0.attn_v.weight": square,
        "blk.0.attn_output.weight": square,
        "blk.0.ffn_norm.weight": ones,
        "blk.0.ffn_gate.weight": wide,
        "blk.0.ffn_up.weight": wide,
        "blk.0.ffn_down.weight": tall,
    }
    # The scores of a word tokenizer, whose vocabulary is only bytes and the text.
    scores = [0.0 if kind != NORMAL else -1.0 for _, kind in tokens]
    metadata = [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, "parrot"),
        entry("general.alignment", UINT32, ALIGNMENT),
        entry("llama.context_length", UINT32, CONTEXT),
        entry("llama.embedding_length", UINT32, width),
        entry("llama.block_count", UINT32, 1),
        entry("llama.feed_forward_length", UINT32, FEED_FORWARD),
        entry("llama.attention.head_count", UINT32, width // 64),
        entry("llama.attention.head_count_kv", UINT32, width // 64),
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT, 1e-5),
        entry("llama.rope.dimension_count", UINT32, 64),
        entry("llama.vocab_size", UINT32, len(tokens)),
        entry("tokenizer.ggml.model", STRING, "llama"),
        array("tokenizer.ggml.tokens", STRING, [text for text, _ in tokens]),
        array("tokenizer.ggml.scores", FLOAT, scores),
        array("tokenizer.ggml.token_type", INT32, [kind for _, kind in tokens]),
        entry("tokenizer.ggml.unknown_token_id", UINT32, UNKNOWN_TOKEN),
        entry("tokenizer.ggml.bos_token_id", UINT32, BEGIN),
        entry("tokenizer.ggml.eos_token_id", UINT32, END),
        entry("tokenizer.ggml.add_bos_token", BOOL, True),
        entry("tokenizer.ggml.add_space_prefix", BOOL, False),
        entry("tokenizer.chat_template", STRING, TEMPLATE),
    ]

    infos, data = b"", b""
    for name, rows in tensors.items():
        shape = [len(rows[0])] if rows is ones else [len(rows[0]), len(rows)]
        infos += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, FLOAT32, len(data))
        data += b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
        data += b"\0" * (-len(data) % ALIGNMENT)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)) + b"".join(metadata) + infos
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % ALIGNMENT) + data)
