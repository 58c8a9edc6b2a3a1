"""Writes a language model that has learned one answer by heart, as a GGUF file.

Every piece of the answer is a token of its own, and the output layer of the network maps each token to the one that
follows it; attention and feed-forward layers are zero. So a real server loads, samples, streams and counts it like any
other model, whatever it is asked.
"""

import struct

ALIGNMENT = 32
FLOAT32 = 0
UINT32, INT32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

UNKNOWN_TOKEN, BEGIN, END, ANSWER = range(4)
SPECIAL = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL), ("<|answer|>", CONTROL)]
TEMPLATE = (
    "{% for message in messages %}{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|answer|>{% endif %}"
)
FEED_FORWARD = 32
# So much stands between the right token and all others that no temperature makes the model err.
CERTAINTY = 10.0
CONTEXT = 32768


def pieces(text):
    """Cuts a text into pieces of which no two are alike."""
    found, start = [], 0
    for end in range(1, len(text) + 1):
        piece = text[start:end]
        if len(piece) >= 3 and piece not in found:
            found.append(piece)
            start = end
    if start < len(text):
        # What is left is too short or there already: with the piece before it, it is another.
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


def write(path, answer):
    answer_pieces = [piece.replace(" ", "\u2581") for piece in pieces(answer)]
    tokens = SPECIAL + [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    first_piece = len(tokens)
    tokens += [(piece, NORMAL) for piece in answer_pieces]

    # A dimension for every token that has a successor, and the first for all others.
    chain = [ANSWER, *range(first_piece, len(tokens)), END]
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
    # What a tokenizer of words prefers; it has none but bytes and the answer.
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
