#!/usr/bin/env bash
# Serves an exported model with the official TensorFlow Serving image.
#
#   export/serving/serve.sh serving/glasses
#
# REST on port 8501, gRPC on port 8500, for this machine alone; ADDRESS=0.0.0.0 publishes
# them on all its addresses, where there is no check of who asks. TF_SERVING_IMAGE chooses
# another image, such as tensorflow/serving:2.21.0-gpu.
set -euo pipefail

model=${1:?"usage: serve.sh MODEL_FOLDER (the one that holds 1/, 2/, ...)"}
address=${ADDRESS:-127.0.0.1}
image=${TF_SERVING_IMAGE:-tensorflow/serving:2.21.0}
here=$(cd "$(dirname "$0")" && pwd)
model=$(cd "$model" && pwd)
if ! ls -d "$model"/[0-9]*/ >/dev/null 2>&1; then
  echo "serve.sh: $model holds no version; write one with: mbu-tf export MODEL.keras" \
    "--format saved_model --output $model" >&2
  exit 1
fi

exec docker run --rm --name mbu-serving \
  -p "$address:8500:8500" -p "$address:8501:8501" \
  -v "$model:/models/glasses:ro" \
  -v "$here/models.config:/models/models.config:ro" \
  "$image" \
  --model_config_file=/models/models.config \
  --model_config_file_poll_wait_seconds=60
