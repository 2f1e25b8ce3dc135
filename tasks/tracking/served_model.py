"""What MLflow runs to serve a registered model: nothing else imports this file.

MLflow copies it beside the weights as the model's code ("models from code"), so a served model is
text, JSON and safetensors, and loading one never unpickles anything. It refuses weights that were replaced;
``artifacts`` also refuses a replaced copy of this file, which nothing in it could.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mlflow.models.model import set_model
from mlflow.pyfunc.model import PythonModel
from safetensors.torch import load

from unlearn_core.data import normalise
from unlearn_core.errors import EvidenceError
from unlearn_core.factories import require_allowed
from unlearn_core.models import build
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import sha256


class ServedModel(PythonModel):
    """A checkpoint as a function from images to logits."""

    # MLflow wants type hints, but supports none for arrays; the signature checks shapes and types instead.
    _skip_type_hint_validation = True

    def load_context(self, context: Any) -> None:
        """Build the net and load its weights.

        Args:
            context: MLflow's; its artifacts are ``weights`` (safetensors) and ``card`` (JSON), its settings
                what was registered: the ``weights``' digest, and the ``factories`` that may be run.

        Raises:
            EvidenceError: If the weights are not those that were registered.
        """
        card = CheckpointCard.parse(Path(context.artifacts["card"]).read_bytes())
        raw = Path(context.artifacts["weights"]).read_bytes()
        registered = context.model_config["weights"]
        if {card.weights, registered} != {found := sha256(raw)}:
            raise EvidenceError(
                f"the weights in the artifact store are {found}, the card names {card.weights}, and "
                f"{registered} was registered: a file was replaced. Do not serve this version; "
                "`lethe verify` compares all of it"
            )
        require_allowed(card.architecture.name, context.model_config["factories"])
        self.model = build(card.architecture)
        self.model.load_state_dict(load(raw))
        self.model.eval()
        self.normalisation = card.normalisation

    def predict(self, context, model_input, params=None):  # noqa: ARG002
        """Return the logits of images.

        Args:
            context: MLflow's; not used.
            model_input: ``[n, channels, height, width]``, float32 in [0, 1].
            params: MLflow's; not used.

        Returns:
            ``[n, classes]``, float32.
        """
        images = torch.from_numpy(np.ascontiguousarray(model_input, dtype=np.float32))
        with torch.inference_mode():
            return self.model(normalise(images, self.normalisation)).numpy()


set_model(ServedModel())
