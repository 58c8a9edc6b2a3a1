"""Runs llama.cpp's own HTTP server on a model that has learned the text on standard input, until that input ends.

    llama_server.py CONTEXT_TOKENS API_KEY

The first line of the input is the text. The server's address is printed as soon as it accepts requests.
"""

import sys
import tempfile
from pathlib import Path

import xllamacpp

import parrot


def main():
    context, key = sys.argv[1:]
    text = sys.stdin.readline().rstrip("\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parrot.gguf"
        parrot.write(path, text)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = int(context)
        params.n_parallel = 1
        # More threads would wait for each other in busy loops, which stalls on processors that have other work.
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = [key]
        server = xllamacpp.Server(params)
        print(server.listening_address, flush=True)
        sys.stdin.read()


main()
