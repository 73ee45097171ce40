#!/bin/sh
# Run the tests of the kernels with a library that AddressSanitizer and UBSan watch.
# The sanitised library lies in a folder of its own; the built one is not touched.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${PYTHON:=python3}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for options in "-DBASE_ONLY" "-DBASE_ONLY -DPLAIN" ""; do
  # shellcheck disable=SC2086
  "$CC" -std=c99 -g -O1 -fno-omit-frame-pointer -fPIC -shared $options \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -o "$folder/_kernels.so" evaluation/counting/kernels/csrc/kernels.c
  echo "sanitised, options: ${options:-none}"
  # The sanitisers must be loaded before Python; Python's own leaks are not ours.
  env LD_PRELOAD="$("$CC" -print-file-name=libasan.so) $("$CC" -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
    S3FO_KERNELS="$folder/_kernels.so" \
    "$PYTHON" -m pytest -q -x \
    tests/evaluation/counting/test_kernels.py tests/evaluation/masks/test_png.py
done
